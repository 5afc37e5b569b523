#include "base/core/buf.h"
#include "base/core/identifier.h"
#include "base/core/text.h"
#include "base/http/http_target.h"
#include "sandboxd/api/dialect.h"
#include "sandboxd/api/file_path.h"
#include "tests/fuzz/fuzz.h"

/* Input: what follows the "?" of a target. Every parameter goes through the function that reads it.
 */

static void check_version(const char *text)
{
    enum api_version lenient, strict;
    struct error err = {0};
    bool is_strict = dialect_read_version(text, true, &strict, &err) == 0;
    if (dialect_read_version(text, false, &lenient, &err) < 0) {
        CHECK(!is_strict);
        return;
    }
    CHECK(lenient >= API_2024_02_02 && lenient <= API_2025_10_02);
    CHECK(!is_strict || strict == lenient);
    enum wire_generation generation = dialect_generation(lenient);
    CHECK(generation == WIRE_GENERATION_1 || generation == WIRE_GENERATION_2);
}

static void check_identifier(const char *text)
{
    if (!identifier_is_valid(text, strlen(text)))
        return;
    size_t length = strlen(text);
    CHECK(length >= IDENTIFIER_LENGTH_MIN && length <= IDENTIFIER_LENGTH_MAX);
    CHECK(strspn(text, " \t\r\n") == 0);
    for (; *text; text++)
        CHECK(*text > ' ' && *text <= '~');
}

/* A directory that is accepted is accepted again as it came out, and so is a file in it. */
static void check_path(const char *text)
{
    struct file_path path, again;
    struct error err = {0};
    if (file_path_read_directory(text, &path, &err) == 0) {
        CHECK(path.length == strlen(path.text));
        CHECK(path.length == 0 || payload_path_is_safe(path.text, path.length));
    }
    if (file_path_read(NULL, text, &path, &err) < 0)
        return;
    CHECK(path.length > 0 && payload_path_is_safe(path.text, path.length));
    if (file_path_read(text, "a", &again, &err) == 0)
        CHECK(payload_path_is_safe(again.text, again.length));
}

static void check_skip(const char *text)
{
    uint64_t value;
    size_t digits = strspn(text, "0123456789");
    if (text_parse_u64(text, &value))
        CHECK(digits > 0 && text[digits] == '\0');
}

static const struct {
    const char *name;
    void (*check)(const char *text);
} readers[] = {
    {"api-version", check_version}, {"identifier", check_identifier},
    {"path", check_path},           {"filename", check_path},
    {"skip", check_skip},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf raw = {0};
    struct http_target target;
    struct error err;
    buf_append_text(&raw, "/files?");
    buf_append(&raw, data, size);
    if (http_target_parse(raw.data, raw.length, &target, &err) < 0)
        return 0;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const char *text = http_target_parameter(&target, readers[i].name);
        size_t count = http_target_parameter_count(&target, readers[i].name);
        CHECK((text != NULL) == (count > 0) && count <= target.parameter_count);
        if (text)
            readers[i].check(text);
    }
    http_target_clear(&target);
    return 0;
}
