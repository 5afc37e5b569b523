#include "sandboxd/api/forwarded.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "tests/fuzz/fuzz.h"

/* What is taken is short and made of characters that cannot end a header or a host. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char host[FORWARDED_HOST_MAX];
    AUTO_FREE char *value = xstrndup((const char *)data, size);
    const char *scheme = forwarded_read_scheme(value);
    CHECK(!scheme || strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (forwarded_read_host(value, host)) {
        CHECK(*host && strlen(host) < sizeof host);
        CHECK(!strpbrk(host, "\r\n/@?#, \t\""));
    }
    return 0;
}
