#include "sandboxd/api/mcp_tools.h"
#include "tests/fuzz/fuzz.h"

/* Any parameters become a program within its limits, or an error that says why. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcp_call call;
    struct error err = {0};
    struct json_span params = {.start = size > 0 ? (const char *)data : NULL, .length = size};
    if (mcp_read_call(params, &call, &err) < 0) {
        CHECK(err.message[0]);
        return 0;
    }
    const char *code = call.code.data;
    CHECK((call.action == MCP_LAUNCH) == (call.code.length == 0));
    CHECK((call.action == MCP_LAUNCH) == (call.environment[0] == '\0'));
    if (call.action == MCP_RUN_CODE)
        CHECK(!memchr(code, '\0', call.code.length));
    if (call.action == MCP_RUN_COMMAND)
        CHECK(code[0] && code[call.code.length - 1] == '\0' &&
              call.code.length <= MCP_WORDS_BYTES_MAX);
    mcp_call_clear(&call);
    return 0;
}
