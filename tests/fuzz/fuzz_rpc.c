#include "base/json/json.h"
#include "base/json/rpc.h"
#include "tests/fuzz/fuzz.h"

static void check_span(struct json_span span, const char *data, size_t size)
{
    if (!span.start)
        return;
    CHECK(span.length > 0 && span.start >= data && span.start + span.length <= data + size);
    CHECK(json_scan_is_strict(span.start, span.length));
}

/* What a client reads back is JSON with the id that it sent. */
static void check_answer(const struct rpc_message *message)
{
    static const char *const names[] = {"id", "result", NULL};
    struct json_span values[2];
    AUTO_BUF struct buf out = {0};
    struct writer writer = rpc_begin_answer(message, &out);
    writer_raw(&writer, "result", "{}", 2);
    CHECK(rpc_finish_answer(&writer, NULL) == 0);
    CHECK(json_scan_members(out.data, out.length, names, values, NULL) == 0);
    if (message->id.start)
        CHECK(values[0].length == message->id.length &&
              memcmp(values[0].start, message->id.start, message->id.length) == 0);
    else
        CHECK(values[0].length == 4);
}

static void check_message(const struct rpc_message *message, const char *data, size_t size)
{
    check_span(message->id, data, size);
    check_span(message->params, data, size);
    CHECK(strlen(message->method) <= RPC_METHOD_BYTES_MAX);
    CHECK((message->kind == RPC_BROKEN) == (message->problem[0] != '\0'));
    CHECK(message->kind != RPC_REQUEST || message->id.start);
    CHECK(message->id.length <= RPC_ID_BYTES_MAX);
    check_answer(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rpc_text text;
    struct error err = {0};
    int code = 0;
    if (rpc_read((const char *)data, size, &text, &code, &err) < 0) {
        CHECK(err.message[0] && (code == RPC_PARSE_ERROR || code == RPC_INVALID_REQUEST));
        return 0;
    }
    CHECK(text.count > 0 && text.count <= RPC_BATCH_MAX && (text.is_batch || text.count == 1));
    for (size_t i = 0; i < text.count; i++)
        check_message(&text.messages[i], (const char *)data, size);
    return 0;
}
