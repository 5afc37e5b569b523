#include "agent/pool/value.h"
#include "base/json/scan.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *raw = (const char *)data;
    struct value value;
    struct error err = {0};
    if (value_read(raw, size, &value, &err) < 0) {
        CHECK(err.code == ERROR_INVALID && err.message[0]);
    } else {
        CHECK((value.kind == VALUE_NOTHING) == (value.length == 0));
        CHECK(value.kind == VALUE_NOTHING || value.data[value.length] == '\0');
    }
    /* A number, a list or an object that is no image is shown as it came, digit for digit. */
    bool is_shown_raw = json_scan_is_strict(raw, size) &&
                        (raw[0] == '[' || raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'));
    if (is_shown_raw)
        CHECK(value.length == size && memcmp(value.data, raw, size) == 0);
    value_clear(&value);
    return 0;
}
