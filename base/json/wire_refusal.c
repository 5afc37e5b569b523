#include "base/json/wire_refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/core/cleanup.h"

/* The kind's word, and what its subject is called. */
static const struct {
    const char *word;
    const char *subject;
} kinds[] = {
    [WIRE_REFUSAL_CALL] = {"syscall", "name"},
    [WIRE_REFUSAL_NETWORK] = {"network", "host"},
    [WIRE_REFUSAL_FILE] = {"file", "path"},
    [WIRE_REFUSAL_PROCESS] = {"process", "name"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void clear_one(struct wire_refusal *refusal)
{
    free(refusal->subject);
    free(refusal->error);
    free(refusal->file);
    *refusal = (struct wire_refusal){0};
}

void wire_refusals_clear(struct wire_refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        clear_one(&refusals[i]);
    free(refusals);
}

/* As text: they have 64 bits, more than a number in JSON keeps. */
static void write_arguments(struct writer *writer, const struct wire_refusal *refusal)
{
    char text[2 + 16 + 1];
    writer_open_array(writer, "arguments");
    for (int i = 0; i < WIRE_REFUSAL_ARGUMENTS; i++) {
        snprintf(text, sizeof text, "0x%" PRIx64, refusal->arguments[i]);
        writer_string(writer, NULL, text);
    }
    writer_close_array(writer);
}

static void write_one(struct writer *writer, const struct wire_refusal *refusal)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "kind", kinds[refusal->kind].word);
    writer_string(writer, kinds[refusal->kind].subject, refusal->subject);
    if (refusal->port > 0)
        writer_integer(writer, "port", refusal->port);
    if (refusal->error)
        writer_string(writer, "error", refusal->error);
    if (refusal->kind == WIRE_REFUSAL_CALL)
        write_arguments(writer, refusal);
    if (refusal->file) {
        writer_string(writer, "file", refusal->file);
        writer_integer(writer, "line", refusal->line);
    }
    writer_integer(writer, "count", refusal->count);
    writer_close_object(writer);
}

void wire_refusals_write(struct writer *writer, const struct wire_refusal *refusals, size_t count)
{
    if (count == 0)
        return;
    writer_open_object(writer, "sandpool");
    writer_open_array(writer, "refusals");
    for (size_t i = 0; i < count; i++)
        write_one(writer, &refusals[i]);
    writer_close_array(writer);
    writer_close_object(writer);
}

static int read_text(json_t *item, const char *path, const char *key, char **ret_text,
                     struct error *err)
{
    const char *text = NULL;
    if (json_get_text_optional(item, path, key, &text, err) < 0)
        return -1;
    *ret_text = text ? xstrdup(text) : NULL;
    return 0;
}

/* ret_refusal stays without a subject when the kind is not known. */
static int read_one(json_t *item, const char *path, struct wire_refusal *ret_refusal,
                    struct error *err)
{
    const char *word = NULL;
    if (!json_is_object(item))
        return error_set(err, ERROR_INVALID, "%s: must be an object", path);
    if (json_get_text(item, path, "kind", &word, err) < 0)
        return -1;
    int kind = 0;
    while (kind < KINDS && strcmp(word, kinds[kind].word) != 0)
        kind++;
    if (kind == KINDS)
        return 0;
    ret_refusal->kind = (enum wire_refusal_kind)kind;
    ret_refusal->count = 1;
    if (read_text(item, path, kinds[kind].subject, &ret_refusal->subject, err) < 0 ||
        read_text(item, path, "error", &ret_refusal->error, err) < 0 ||
        read_text(item, path, "file", &ret_refusal->file, err) < 0 ||
        json_get_integer_optional(item, path, "port", 0, UINT16_MAX, &ret_refusal->port, err) < 0 ||
        json_get_integer_optional(item, path, "line", 0, JSON_INTEGER_MAX, &ret_refusal->line,
                                  err) < 0 ||
        json_get_integer_optional(item, path, "count", 0, JSON_INTEGER_MAX, &ret_refusal->count,
                                  err) < 0)
        return -1;
    return 0;
}

static int read_list(json_t *list, struct wire_refusal *refusals, size_t *count, struct error *err)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        char path[JSON_PATH_TEXT_MAX];
        snprintf(path, sizeof path, "sandpool.refusals[%zu]", i);
        if (*count == WIRE_REFUSALS_MAX)
            return 0;
        if (read_one(item, path, &refusals[*count], err) < 0) {
            (*count)++; /* what it has is freed with the others */
            return -1;
        }
        if (refusals[*count].subject)
            (*count)++;
        else
            clear_one(&refusals[*count]); /* it tells nothing */
    }
    return 0;
}

int wire_refusals_read(json_t *answer, struct wire_refusal **ret_refusals, size_t *ret_count,
                       struct error *err)
{
    json_t *extension = NULL, *list = NULL;
    if (json_get_object_optional(answer, "", "sandpool", &extension, err) < 0 ||
        (extension && json_get_array_optional(extension, "sandpool", "refusals", &list, err) < 0))
        return -1;
    if (!list || json_array_size(list) == 0)
        return 0;
    *ret_refusals = xcalloc(WIRE_REFUSALS_MAX, sizeof **ret_refusals);
    return read_list(list, *ret_refusals, ret_count, err);
}
