#include "base/core/text.h"
#include "base/json/base64.h"
#include "tests/fuzz/fuzz.h"

enum { SHORT_LIMIT = 16 };

/* Decoding what was encoded gives it back; a limit only ever changes the outcome, not the text. */
static void check_percent(const char *text, size_t length)
{
    AUTO_BUF struct buf decoded = {0};
    AUTO_BUF struct buf bounded = {.limit = SHORT_LIMIT};
    struct error err;
    if (text_percent_decode(text, length, &decoded, &err) < 0)
        return;
    CHECK(text_is_utf8(decoded.data, decoded.length));
    CHECK(strlen(decoded.data) == decoded.length && decoded.length <= length);
    if (text_percent_decode(text, length, &bounded, &err) == 0)
        CHECK(strcmp(bounded.data, decoded.data) == 0);
    else
        CHECK(decoded.length > SHORT_LIMIT && err.code == ERROR_LIMIT);

    AUTO_BUF struct buf encoded = {0};
    AUTO_BUF struct buf again = {0};
    CHECK(text_percent_encode(&encoded, decoded.data, decoded.length, "/"));
    CHECK(text_percent_decode(encoded.data, encoded.length, &again, &err) == 0 ||
          decoded.length == 0);
    if (decoded.length > 0)
        CHECK(strcmp(again.data, decoded.data) == 0);
}

static void check_lossy(const char *text, size_t length)
{
    AUTO_BUF struct buf out = {0};
    CHECK(text_append_utf8_lossy(&out, text, length));
    CHECK(out.length == 0 || text_is_utf8(out.data, out.length));
    if (text_is_utf8(text, length))
        CHECK(out.length == length && (length == 0 || memcmp(out.data, text, length) == 0));
}

static void check_base64(const char *text, size_t length)
{
    AUTO_BUF struct buf encoded = {0};
    AUTO_BUF struct buf decoded = {0};
    AUTO_BUF struct buf ignored = {0};
    CHECK(base64_encode(text, length, &encoded));
    CHECK(base64_decode(encoded.data, encoded.length, &decoded));
    CHECK(decoded.length == length && (length == 0 || memcmp(decoded.data, text, length) == 0));
    base64_decode(text, length, &ignored);
    CHECK(ignored.length <= length);
}

/* What decodes at all has exactly one text. */
static void check_base64url(const char *text, size_t length)
{
    AUTO_BUF struct buf encoded = {0};
    AUTO_BUF struct buf decoded = {0};
    if (!base64url_decode(text, length, &decoded))
        return;
    CHECK(base64url_encode(decoded.data, decoded.length, &encoded));
    CHECK(encoded.length == length && (length == 0 || memcmp(encoded.data, text, length) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_percent(text, size);
    check_lossy(text, size);
    check_base64(text, size);
    check_base64url(text, size);
    return 0;
}
