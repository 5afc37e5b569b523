#include "base/json/json.h"
#include "base/json/scan.h"
#include "tests/fuzz/fuzz.h"

/* Nesting by brackets outside strings; right for any text that is JSON. */
static size_t depth_of(const char *text, size_t length)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        if (in_string && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            in_string = !in_string;
        } else if (!in_string && (text[i] == '[' || text[i] == '{')) {
            if (++depth > deepest)
                deepest = depth;
        } else if (!in_string && (text[i] == ']' || text[i] == '}') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

/* The scanner accepts what Jansson accepts, and numbers of any size besides. */
static void compare_with_jansson(const char *text, size_t length, bool is_strict)
{
    json_error_t problem = {0};
    AUTO_JSON json_t *value = json_loadb(
        text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &problem);
    if (value && memchr(text, '\0', length))
        CHECK(!is_strict); /* Jansson ends the text there */
    else if (value)
        CHECK(is_strict == (depth_of(text, length) <= JSON_DEPTH_MAX));
    else
        /* It takes no numbers beyond its own types, and no NUL in a member's name. */
        CHECK(!is_strict || strstr(problem.text, "overflow") ||
              strstr(problem.text, "NUL byte in object key"));
}

static void check_find(const char *text, size_t length, const char *const *path, bool is_strict)
{
    const char *start = NULL;
    size_t found = 0;
    struct error err = {0};
    if (json_scan_find(text, length, path, &start, &found, &err) < 0) {
        CHECK(err.code == ERROR_INVALID || err.code == ERROR_MISSING);
        return;
    }
    CHECK(is_strict && start >= text && found > 0 && start + found <= text + length);
    CHECK(json_scan_is_strict(start, found));
    CHECK(start[0] != ' ' && start[found - 1] != ' ');
}

/* What is found is whole, and as much as a search for one by one finds. */
static void check_members(const char *text, size_t length)
{
    static const char *const names[] = {"result", "a\"b", NULL};
    struct json_span values[2];
    if (json_scan_members(text, length, names, values, NULL) < 0)
        return;
    for (int i = 0; i < 2; i++) {
        const char *start = NULL;
        size_t found = 0;
        struct error err = {0};
        json_scan_find(text, length, (const char *const[]){names[i], NULL}, &start, &found, &err);
        CHECK(values[i].start == start && values[i].length == (start ? found : 0));
    }
}

static void check_items(const char *text, size_t length)
{
    enum { MOST = 4 };
    struct json_span items[MOST];
    size_t count = 0;
    if (json_scan_items(text, length, MOST, items, &count, NULL) < 0)
        return;
    CHECK(count <= MOST);
    for (size_t i = 0; i < count; i++)
        CHECK(json_scan_is_strict(items[i].start, items[i].length));
}

/* A text that json_parse accepts is strict once a byte order mark is gone. */
static void check_parse(const char *text, size_t length, bool is_strict)
{
    AUTO_JSON json_t *value = NULL;
    struct error err = {0};
    bool has_mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    if (json_parse(text, length, JSON_BYTES_MAX, &value, &err) == 0)
        CHECK(is_strict || (has_mark && json_scan_is_strict(text + 3, length - 3)));
    else
        CHECK(err.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    bool is_strict = json_scan_is_strict(text, size);
    compare_with_jansson(text, size, is_strict);
    check_parse(text, size, is_strict);
    check_find(text, size, (const char *const[]){"result", NULL}, is_strict);
    check_find(text, size, (const char *const[]){"properties", "result", NULL}, is_strict);
    check_find(text, size, (const char *const[]){"a\"b", NULL}, is_strict);
    check_members(text, size);
    check_items(text, size);
    return 0;
}
