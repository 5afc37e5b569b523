#include "base/http/http_guard.h"

#include <strings.h>

#include "tests/fuzz/fuzz.h"

/* Input: method, target, version and then headers, each "NAME:VALUE", all ended by NULs. */

static const char *next_text(const uint8_t **data, const uint8_t *end)
{
    const uint8_t *text = *data;
    const uint8_t *stop = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
    *data = stop ? stop + 1 : end;
    return stop ? (const char *)text : NULL;
}

static bool is_named(const char *header, const char *name)
{
    return strncasecmp(header, name, strlen(name)) == 0 && header[strlen(name)] == ':';
}

/* Counted anew, in another way than the guard does. */
struct framing {
    size_t headers, lengths, encodings, hosts;
    bool is_plain; /* lengths are digits, encodings are "chunked", names have no blank */
};

static void count(struct framing *framing, const char *header)
{
    const char *value = strchr(header, ':') + 1;
    framing->headers++;
    framing->hosts += is_named(header, "Host") && *value;
    framing->is_plain &= strcspn(header, ": \t\r\n") == (size_t)(value - 1 - header);
    if (is_named(header, "Content-Length")) {
        framing->lengths++;
        framing->is_plain &= *value && strspn(value, "0123456789") == strlen(value);
    }
    if (is_named(header, "Transfer-Encoding")) {
        framing->encodings++;
        framing->is_plain &= strcasecmp(value, "chunked") == 0;
    }
}

static void check_accepted(const struct framing *framing, const char *version, const char *target)
{
    bool is_1_0 = strcmp(version, "HTTP/1.0") == 0;
    CHECK(is_1_0 || strcmp(version, "HTTP/1.1") == 0);
    CHECK(framing->headers <= HTTP_HEADERS_MAX && framing->is_plain);
    CHECK(framing->lengths + framing->encodings <= 1);
    CHECK(framing->hosts == 1 || (is_1_0 && framing->hosts == 0));
    CHECK(!is_1_0 || framing->encodings == 0);
    CHECK(strlen(target) <= HTTP_TARGET_BYTES_MAX && !strpbrk(target, " \t\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    const char *method = next_text(&data, end);
    const char *target = next_text(&data, end);
    const char *version = next_text(&data, end);
    if (!version)
        return 0;

    struct http_guard guard = {0};
    struct framing framing = {.is_plain = true};
    for (const char *header; (header = next_text(&data, end)) != NULL;) {
        const char *colon = strchr(header, ':');
        if (!colon)
            continue;
        http_guard_add(&guard, header, (size_t)(colon - header), colon + 1, strlen(colon + 1));
        count(&framing, header);
    }
    enum http_refusal why;
    const char *message = NULL;
    if (http_guard_accepts(&guard, method, target, version, &why, &message))
        check_accepted(&framing, version, target);
    else
        CHECK(message && *message);
    return 0;
}
