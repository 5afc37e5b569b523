#include "agent/llm/reader.h"

#include <string.h>

#include "base/json/json.h"

static int on_sse_event(void *self, const char *name, const char *data, size_t length,
                        struct error *err);

void reader_begin(struct reader *reader, const struct provider *provider, struct assembly *assembly)
{
    *reader = (struct reader){.provider = provider, .assembly = assembly};
    reader->whole.limit = READER_WHOLE_BYTES_MAX;
    struct sse_reader_handler handler = {reader, on_sse_event};
    sse_reader_begin(&reader->sse, READER_EVENT_BYTES_MAX, &handler);
}

void reader_clear(struct reader *reader)
{
    sse_reader_clear(&reader->sse);
    buf_free(&reader->whole);
}

/* ---- one message ---- */

static int refuse(struct reader *reader, struct error *err)
{
    reader->is_refused = true;
    return error_set(err, ERROR_INVALID, "%s", reader->refusal.message);
}

static int take_root(struct reader *reader, json_t *root, struct error *err)
{
    if (refusal_read(root, &reader->refusal))
        return refuse(reader, err);
    switch (reader->provider->read(reader->assembly, root, err)) {
    case PROVIDER_FAILED:
        return -1;
    case PROVIDER_ENDED:
        reader->ended = true;
        break;
    case PROVIDER_MORE:
        break;
    }
    return 0;
}

static int on_sse_event(void *self, const char *name, const char *data, size_t length,
                        struct error *err)
{
    struct reader *reader = self;
    if (reader->ended || length == 0)
        return 0;
    if (strcmp(data, "[DONE]") == 0) {
        reader->ended = true;
        return 0;
    }
    AUTO_JSON json_t *root = NULL;
    if (json_parse_with_nuls(data, length, READER_EVENT_BYTES_MAX, &root, err) < 0) {
        if (reader->at_end)
            return 0; /* half an event: whether the answer is whole is seen without it */
        if (strcmp(name, "error") == 0) {
            refusal_read_body(data, length, &reader->refusal);
            return refuse(reader, err);
        }
        return error_add_context(err, "an event of the model's stream cannot be read");
    }
    if (strcmp(name, "error") == 0 && !json_object_get(root, "error")) {
        refusal_read_body(data, length, &reader->refusal);
        return refuse(reader, err);
    }
    return take_root(reader, root, err);
}

static int take_whole(struct reader *reader, struct error *err)
{
    AUTO_JSON json_t *root = NULL;
    if (json_parse_with_nuls(reader->whole.data, reader->whole.length, READER_WHOLE_BYTES_MAX,
                             &root, err) < 0)
        return error_add_context(err, "the model's answer cannot be read");
    if (take_root(reader, root, err) < 0)
        return -1;
    reader->ended = true;
    return 0;
}

/* ---- the bytes ---- */

/* No event stream begins with a brace: a line that did would mean nothing. */
static enum reader_form form_of(const struct buf *start, struct error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    for (size_t i = 0; i < start->length; i++) {
        char c = start->data[i];
        if (i < 3 && c == mark[i])
            continue;
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c == '<') {
            error_set(err, ERROR_INVALID,
                      "the answer is a web page, not a model's: check the endpoint's path");
            return READER_UNDECIDED;
        }
        return c == '{' ? READER_WHOLE : READER_STREAM;
    }
    return READER_UNDECIDED;
}

static int append_whole(struct reader *reader, const char *data, size_t length, struct error *err)
{
    if (!buf_append(&reader->whole, data, length))
        return error_set(err, ERROR_LIMIT, "the model's answer is longer than %d bytes",
                         READER_WHOLE_BYTES_MAX);
    return 0;
}

/* The first bytes are kept until one of them tells. */
static int decide(struct reader *reader, const char *data, size_t length, struct error *err)
{
    struct error problem = {0};
    if (append_whole(reader, data, length, err) < 0)
        return -1;
    reader->form = form_of(&reader->whole, &problem);
    if (problem.code != ERROR_NONE) {
        *err = problem;
        return -1;
    }
    if (reader->form != READER_STREAM)
        return 0;
    int result = sse_reader_feed(&reader->sse, reader->whole.data, reader->whole.length, err);
    buf_free(&reader->whole);
    return result;
}

int reader_feed(struct reader *reader, const char *data, size_t length, struct error *err)
{
    if (length == 0)
        return 0;
    switch (reader->form) {
    case READER_STREAM:
        return sse_reader_feed(&reader->sse, data, length, err);
    case READER_WHOLE:
        return append_whole(reader, data, length, err);
    case READER_UNDECIDED:
        break;
    }
    return decide(reader, data, length, err);
}

int reader_finish(struct reader *reader, struct llm_answer *ret_answer, struct error *err)
{
    reader->at_end = true;
    if (reader->form == READER_STREAM && sse_reader_finish(&reader->sse, err) < 0)
        return -1;
    if (reader->form == READER_WHOLE && take_whole(reader, err) < 0)
        return -1;
    if (!reader->ended && !reader->assembly->has_finish)
        return error_set(err, ERROR_SYSTEM, "the model's answer ended before it was complete");
    return assembly_end(reader->assembly, ret_answer, err);
}
