#include "agent/tape/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/core/text.h"
#include "base/json/base64.h"
#include "base/json/json.h"

static const char *const party_names[] = {[TAPE_MODEL] = "llm", [TAPE_POOL] = "session"};

const char *tape_party_name(enum tape_party party)
{
    return party_names[party];
}

void tape_request_clear(struct tape_request *request)
{
    free(request->method);
    free(request->path);
    json_decref(request->body);
    *request = (struct tape_request){0};
}

void tape_destroy(struct tape *tape)
{
    if (!tape)
        return;
    for (size_t i = 0; i < tape->count; i++) {
        tape_request_clear(&tape->exchanges[i].request);
        reply_clear(&tape->exchanges[i].reply);
    }
    free(tape->exchanges);
    json_decref(tape->header);
    json_decref(tape->turns);
    json_decref(tape->final);
    free(tape);
}

/* ---- reading ---- */

struct reader {
    struct tape *tape;
    unsigned line;
    int64_t time_ms; /* of the answer that is read: when its last chunk came */
    struct error *err;
};

static int wrong(const struct reader *reader, const char *what)
{
    return error_set(reader->err, ERROR_INVALID, "line %u: %s", reader->line, what);
}

static int wrong_member(const struct reader *reader)
{
    return error_add_context(reader->err, "line %u", reader->line);
}

static int read_header(struct reader *reader, json_t *event)
{
    int64_t version = 0;
    if (json_get_integer(event, "", "tape", 1, JSON_INTEGER_MAX, &version, reader->err) < 0)
        return wrong_member(reader);
    if (version != TAPE_VERSION)
        return wrong(reader, "this tape is of a newer version than this program reads");
    reader->tape->header = json_incref(event);
    return 0;
}

static struct tape_exchange *add_exchange(struct tape *tape)
{
    if (tape->count == tape->capacity) {
        tape->capacity = tape->capacity ? 2 * tape->capacity : 16;
        tape->exchanges = xrealloc(tape->exchanges, tape->capacity * sizeof *tape->exchanges);
    }
    struct tape_exchange *exchange = &tape->exchanges[tape->count++];
    *exchange = (struct tape_exchange){0};
    return exchange;
}

static int read_request(struct reader *reader, json_t *event, enum tape_party party)
{
    const char *method, *path;
    if (json_get_text(event, "", "method", &method, reader->err) < 0 ||
        json_get_text(event, "", "path", &path, reader->err) < 0)
        return wrong_member(reader);
    if (reader->tape->count == TAPE_EXCHANGES_MAX)
        return error_set(reader->err, ERROR_LIMIT, "line %u: a tape has at most %d requests",
                         reader->line, TAPE_EXCHANGES_MAX);
    struct tape_exchange *exchange = add_exchange(reader->tape);
    json_t *body = json_object_get(event, "body");
    exchange->line = reader->line;
    exchange->reply.body.limit = REPLY_BYTES_MAX;
    exchange->request =
        (struct tape_request){.party = party,
                              .method = xstrdup(method),
                              .path = xstrdup(path),
                              .body = json_is_null(body) ? NULL : json_incref(body)};
    return 0;
}

/* The answer that a line belongs to: exchanges are written whole, so it is the last one. */
static struct tape_exchange *current(const struct reader *reader)
{
    const struct tape *tape = reader->tape;
    return tape->count > 0 ? &tape->exchanges[tape->count - 1] : NULL;
}

static bool is_plain_header(const char *name, const char *value)
{
    static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_";
    for (const char *c = value; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    }
    return name[0] && name[strspn(name, name_bytes)] == '\0';
}

static int read_response(struct reader *reader, json_t *event)
{
    struct tape_exchange *exchange = current(reader);
    int64_t status;
    json_t *headers = NULL, *value;
    const char *name;
    if (!exchange || exchange->is_answered)
        return wrong(reader, "a response without a request");
    if (json_get_integer(event, "", "status", 200, 599, &status, reader->err) < 0 ||
        json_get_object_optional(event, "", "headers", &headers, reader->err) < 0)
        return wrong_member(reader);
    json_object_foreach(headers, name, value)
    {
        const char *text = json_string_value(value);
        if (!text || !is_plain_header(name, text))
            return wrong(reader, "headers: must be texts of one line each");
        reply_add_header(&exchange->reply, name, text);
    }
    exchange->is_answered = true;
    reader->time_ms = 0;
    exchange->reply.status = (unsigned)status;
    return 0;
}

static int append_bytes(const struct reader *reader, json_t *event, struct buf *out)
{
    json_t *text = json_object_get(event, "text"), *base64 = json_object_get(event, "base64");
    bool fits = true;
    if (json_is_string(text))
        fits = buf_append(out, json_string_value(text), json_string_length(text));
    else if (!json_is_string(base64) ||
             !base64_decode(json_string_value(base64), json_string_length(base64), out))
        return wrong(reader, "a chunk has \"text\", or \"base64\" as RFC 4648 has it");
    return fits ? 0
                : error_set(reader->err, ERROR_LIMIT, "line %u: the answer is too long",
                            reader->line);
}

static int read_chunk(struct reader *reader, json_t *event)
{
    struct tape_exchange *exchange = current(reader);
    int64_t time_ms = 0;
    if (!exchange || !exchange->is_answered)
        return wrong(reader, "a chunk without a response");
    if (json_get_integer(event, "", "t_ms", 0, TAPE_TIME_MS_MAX, &time_ms, reader->err) < 0)
        return wrong_member(reader);
    if (append_bytes(reader, event, &exchange->reply.body) < 0)
        return -1;
    reply_end_piece(&exchange->reply, time_ms > reader->time_ms ? time_ms - reader->time_ms : 0);
    if (time_ms > reader->time_ms)
        reader->time_ms = time_ms;
    return 0;
}

static int read_end(struct reader *reader, json_t *event)
{
    struct tape_exchange *exchange = current(reader);
    if (!exchange || !exchange->is_answered)
        return wrong(reader, "an end without a response");
    exchange->reply.is_cut = json_is_true(json_object_get(event, "cut"));
    return 0;
}

static int read_turn(struct reader *reader, json_t *event)
{
    if (json_array_size(reader->tape->turns) >= TAPE_EXCHANGES_MAX)
        return wrong(reader, "too many turns");
    return json_array_append(reader->tape->turns, event);
}

static int read_final(struct reader *reader, json_t *event)
{
    if (reader->tape->final)
        return wrong(reader, "a second \"final\"");
    reader->tape->final = json_incref(event);
    return 0;
}

static int read_event(struct reader *reader, json_t *event)
{
    static const struct {
        const char *name;
        int (*read)(struct reader *reader, json_t *event);
    } rows[] = {
        {"user", read_turn},   {"llm.response", read_response},
        {"chunk", read_chunk}, {"session.response", read_response},
        {"end", read_end},     {"final", read_final},
    };
    const char *name;
    if (!json_is_object(event))
        return wrong(reader, "must be a JSON object");
    if (!reader->tape->header)
        return read_header(reader, event);
    if (json_get_text(event, "", "event", &name, reader->err) < 0)
        return wrong_member(reader);
    if (strcmp(name, "llm.request") == 0)
        return read_request(reader, event, TAPE_MODEL);
    if (strcmp(name, "session.request") == 0)
        return read_request(reader, event, TAPE_POOL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].read(reader, event);
    }
    return wrong(reader, "event: must be user, llm.request, llm.response, session.request, "
                         "session.response, chunk, end or final");
}

static int read_line(struct reader *reader, const char *line, size_t length)
{
    AUTO_JSON json_t *event = NULL;
    if (json_parse_with_nuls(line, length, TAPE_LINE_BYTES_MAX, &event, reader->err) < 0)
        return wrong_member(reader);
    return read_event(reader, event);
}

int tape_read(const char *data, size_t length, struct tape **ret_tape, struct error *err)
{
    if (length > TAPE_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "a tape has at most %d bytes", TAPE_BYTES_MAX);
    AUTO(tape) struct tape *tape = xcalloc(1, sizeof *tape);
    struct reader reader = {.tape = tape, .err = err};
    tape->turns = json_array();
    const char *end = data + length;
    while (data < end) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        const char *line_end = newline ? newline : end;
        reader.line++;
        if (line_end > data && read_line(&reader, data, (size_t)(line_end - data)) < 0)
            return -1;
        data = newline ? newline + 1 : end;
    }
    if (!tape->header)
        return error_set(err, ERROR_INVALID, "not a tape: it has no lines");
    *ret_tape = TAKE(tape);
    return 0;
}

bool tape_is_tape(const char *data, size_t length)
{
    return length > 0 && data[0] == '{';
}

int tape_load(const char *path, struct tape **ret_tape, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "%s", path);
    size_t length;
    AUTO_FREE char *text = text_read_all(fd, TAPE_BYTES_MAX, &length, err);
    if (!text || tape_read(text, length, ret_tape, err) < 0)
        return error_add_context(err, "%s", path);
    return 0;
}
