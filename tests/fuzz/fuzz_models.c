#include "agent/llm/discover.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct discovered_server server = {.server = "fuzz"};
    struct error err;
    if (discover_read_models((const char *)data, size, &server, &err) == 0)
        CHECK(server.model_count <= DISCOVER_MODELS_MAX && server.best_model <= server.model_count);
    for (size_t i = 0; i < server.model_count; i++)
        CHECK(server.models[i][0] && strlen(server.models[i]) <= DISCOVER_NAME_BYTES_MAX);
    discovered_server_clear(&server);
    return 0;
}
