#include "base/http/accept.h"

#include "base/core/cleanup.h"
#include "tests/fuzz/fuzz.h"

/* The answer is one of three, and the case of letters does not matter. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *accept = xstrndup((const char *)data, size);
    enum accept_match match = accept_find(accept, "text/event-stream");
    CHECK(match == ACCEPT_NOT || match == ACCEPT_BY_RANGE || match == ACCEPT_BY_NAME);
    CHECK(accept_find(accept, "TEXT/event-STREAM") == match);
    return 0;
}
