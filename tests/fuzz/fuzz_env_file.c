#include "agent/settings/env_file.h"
#include "tests/fuzz/fuzz.h"

struct seen {
    size_t bytes;
};

static void on_variable(void *self, const char *name, const char *value)
{
    struct seen *seen = self;
    CHECK(*name && strlen(name) < ENV_NAME_BYTES_MAX);
    CHECK(!strpbrk(name, "= \n#'\""));
    seen->bytes += strlen(name) + strlen(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {0};
    struct error err = {0};
    if (env_file_read((const char *)data, size, on_variable, &seen, &err) < 0)
        CHECK(err.code != ERROR_NONE && err.message[0]);
    CHECK(seen.bytes <= size);
    return 0;
}
