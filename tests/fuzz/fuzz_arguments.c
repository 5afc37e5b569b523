#include "agent/llm/arguments.h"
#include "base/json/json.h"
#include "tests/fuzz/fuzz.h"

static const struct llm_tool tools[] = {
    {"run_python", "",
     "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"}},"
     "\"required\":[\"code\"]}"},
    {"list_files", "", "{\"type\":\"object\",\"properties\":{}}"},
};

typedef int reader_function(const struct tool_shape *shape, const char *text, size_t length,
                            struct buf *out, struct error *err);

/* Either an object or a problem in words. */
static void check(reader_function *read, const struct tool_shape *shape, const char *text,
                  size_t size)
{
    AUTO_BUF struct buf out = {0};
    AUTO_JSON json_t *value = NULL;
    struct error err = {0};
    if (read(shape, text, size, &out, &err) < 0) {
        CHECK(err.message[0]);
        return;
    }
    CHECK(json_parse(out.data, out.length, JSON_BYTES_MAX, &value, &err) == 0);
    CHECK(json_is_object(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tool_shapes shapes;
    struct error err;
    const char *text = (const char *)data;
    CHECK(tool_shapes_read(tools, 2, &shapes, &err) == 0);
    for (size_t i = 0; i < shapes.count; i++) {
        check(arguments_read, &shapes.items[i], text, size);
        check(arguments_read_text, &shapes.items[i], text, size);
    }
    check(arguments_read, NULL, text, size);
    tool_shapes_clear(&shapes);
    return 0;
}
