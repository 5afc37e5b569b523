#include "sandboxd/link/refusals.h"

#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

enum { FIELD_KIND, FIELD_SUBJECT, FIELD_NUMBER, FIELD_COUNT, FIELD_FILE, FIELD_LINE, FIELDS };

void refusals_clear(struct refusals *refusals)
{
    free(refusals->items);
    *refusals = (struct refusals){0};
}

static bool is_same(const struct refusal *a, const struct refusal *b)
{
    return a->kind == b->kind && a->number == b->number && a->line == b->line &&
           strcmp(a->subject, b->subject) == 0 && strcmp(a->file, b->file) == 0;
}

static void add(struct refusals *refusals, const struct refusal *refusal)
{
    for (size_t i = 0; i < refusals->count; i++) {
        if (is_same(&refusals->items[i], refusal)) {
            refusals->items[i].count += refusal->count;
            return;
        }
    }
    if (!refusals->items)
        refusals->items = xcalloc(REFUSALS_MAX, sizeof *refusals->items);
    if (refusals->count < REFUSALS_MAX)
        refusals->items[refusals->count++] = *refusal;
}

/* What programs try by themselves and do without, by call, argument and its value. */
static const struct {
    uint32_t number;
    unsigned argument;
    uint32_t value;
} habits[] = {
    {SYS_socket, 0, AF_NETLINK}, /* the C library, before it resolves any name */
    {SYS_ioctl, 1, FICLONE},     /* cp, for every file */
};

static bool is_habit(uint32_t number, const uint64_t *arguments)
{
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        if (number == habits[i].number &&
            (uint32_t)arguments[habits[i].argument] == habits[i].value)
            return true;
    }
    return false;
}

void refusals_add_call(struct refusals *refusals, uint32_t number,
                       const uint64_t arguments[REFUSAL_ARGUMENTS])
{
    if (is_habit(number, arguments))
        return;
    struct refusal refusal = {.kind = REFUSAL_CALL, .number = number, .count = 1};
    memcpy(refusal.arguments, arguments, sizeof refusal.arguments);
    add(refusals, &refusal);
}

/* Cuts a line into its fields, in place. */
static bool split(char *line, char *ret_fields[FIELDS])
{
    for (int i = 0; i < FIELDS; i++) {
        ret_fields[i] = strsep(&line, "\t");
        if (!ret_fields[i] || strlen(ret_fields[i]) > REFUSAL_TEXT_MAX)
            return false;
    }
    return line == NULL;
}

static bool read_u32(const char *text, uint32_t *ret_value)
{
    uint64_t value;
    if (!text_parse_u64(text, &value) || value > UINT32_MAX)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

static bool read_line(struct refusals *refusals, char *line)
{
    static const char *const kinds[] = {
        [REFUSAL_NETWORK] = "network", [REFUSAL_FILE] = "file", [REFUSAL_PROCESS] = "process"};
    char *fields[FIELDS];
    uint32_t count;
    struct refusal refusal = {0};
    if (!split(line, fields) || !read_u32(fields[FIELD_NUMBER], &refusal.number) ||
        !read_u32(fields[FIELD_COUNT], &count) || !read_u32(fields[FIELD_LINE], &refusal.line))
        return false;
    if (strcmp(fields[FIELD_KIND], "ended") == 0) {
        refusals->network_ended_it = true;
        refusals->network_error = refusal.number;
        return strcmp(fields[FIELD_SUBJECT], "network") == 0;
    }
    refusal.count = count;
    memcpy(refusal.subject, fields[FIELD_SUBJECT], strlen(fields[FIELD_SUBJECT]));
    memcpy(refusal.file, fields[FIELD_FILE], strlen(fields[FIELD_FILE]));
    for (int kind = REFUSAL_NETWORK; kind <= REFUSAL_PROCESS; kind++) {
        if (strcmp(fields[FIELD_KIND], kinds[kind]) == 0) {
            refusal.kind = (enum refusal_kind)kind;
            add(refusals, &refusal);
            return true;
        }
    }
    return false;
}

/* Tabs and line ends are the form's own. */
static bool has_control_character(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] < ' ' && data[i] != '\t' && data[i] != '\n')
            return true;
    }
    return false;
}

int refusals_read(struct refusals *refusals, const uint8_t *data, size_t length, struct error *err)
{
    if (length == 0 || data[length - 1] != '\n' || has_control_character(data, length))
        return error_set(err, ERROR_INVALID, "not lines of text");
    AUTO_FREE char *text = xstrndup((const char *)data, length - 1);
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n"))) {
        if (!read_line(refusals, line))
            return error_set(err, ERROR_INVALID, "a line that tells no refusal");
    }
    return 0;
}

void refusals_forget_network(struct refusals *refusals)
{
    size_t kept = 0;
    for (size_t i = 0; i < refusals->count; i++) {
        if (refusals->items[i].kind != REFUSAL_NETWORK)
            refusals->items[kept++] = refusals->items[i];
    }
    refusals->count = kept;
}
