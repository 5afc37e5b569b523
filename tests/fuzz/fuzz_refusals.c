#include "sandboxd/link/refusals.h"
#include "tests/fuzz/fuzz.h"

/* Whatever a guest sends: what is kept is bounded, ends in NULs and could have been sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct refusals refusals = {0};
    struct error err = {0};
    if (refusals_read(&refusals, data, size, &err) < 0)
        CHECK(err.code == ERROR_INVALID);
    CHECK(refusals.count <= REFUSALS_MAX);
    for (size_t i = 0; i < refusals.count; i++) {
        const struct refusal *refusal = &refusals.items[i];
        CHECK(refusal->kind != REFUSAL_CALL && refusal->kind <= REFUSAL_PROCESS);
        CHECK(strlen(refusal->subject) <= REFUSAL_TEXT_MAX);
        CHECK(strlen(refusal->file) <= REFUSAL_TEXT_MAX);
        CHECK(!strpbrk(refusal->subject, "\t\n\x1b") && !strpbrk(refusal->file, "\t\n\x1b"));
    }
    refusals_clear(&refusals);
    return 0;
}
