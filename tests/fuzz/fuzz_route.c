#include "base/core/text.h"
#include "base/http/http_target.h"
#include "sandboxd/api/file_path.h"
#include "sandboxd/api/router.h"
#include "tests/fuzz/fuzz.h"

/* Input: "METHOD TARGET", as in a request line. */
enum { METHOD_BYTES_MAX = 16 };

static bool is_segment(const struct http_target *target, const char *text)
{
    for (size_t i = 0; i < target->segment_count; i++) {
        if (text == target->segments[i])
            return true;
    }
    return text == NULL;
}

/* Whatever a URL calls a file stays below the data directory. */
static void check_name(const struct http_target *target, const struct route_match *match)
{
    struct error err = {0};
    struct file_path path;
    char name[FILE_PATH_MAX + 1] = "";
    size_t length = 0;
    for (size_t i = 0; i < match->name_count; i++) {
        const char *segment = target->segments[match->name_first + i];
        int n = snprintf(name + length, sizeof name - length, "%s%s", i ? "/" : "", segment);
        if (n < 0 || (size_t)n >= sizeof name - length)
            return;
        length += (size_t)n;
    }
    if (file_path_read(http_target_parameter(target, "path"), name, &path, &err) < 0)
        return;
    CHECK(path.length > 0 && payload_path_is_safe(path.text, path.length));
    CHECK(*file_path_base_name(path.text));
}

static void check_match(const char *method, const struct http_target *target,
                        const struct route_match *match)
{
    CHECK(match->route && strcmp(match->route->method, method) == 0 && match->route->handle);
    CHECK(is_segment(target, match->pool) && is_segment(target, match->subscription) &&
          is_segment(target, match->group));
    CHECK(!match->pool || *match->pool);
    CHECK(match->name_first + match->name_count <= target->segment_count);
    bool has_name = strstr(match->route->pattern, "{name}") != NULL;
    CHECK(has_name == (match->name_count > 0));
    if (has_name)
        check_name(target, match);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *blank = size ? memchr(data, ' ', size) : NULL;
    char method[METHOD_BYTES_MAX] = "";
    size_t method_length = blank ? (size_t)(blank - data) : size;
    if (!blank || method_length >= sizeof method)
        return 0;
    memcpy(method, data, method_length);

    struct http_target target;
    struct route_match match;
    struct error err;
    if (http_target_parse((const char *)blank + 1, size - method_length - 1, &target, &err) < 0)
        return 0;
    enum route_outcome outcome = router_find(method, &target, &match);
    CHECK(outcome == ROUTE_FOUND || outcome == ROUTE_UNKNOWN_PATH || outcome == ROUTE_WRONG_METHOD);
    if (outcome == ROUTE_FOUND)
        check_match(method, &target, &match);
    http_target_clear(&target);
    return 0;
}
