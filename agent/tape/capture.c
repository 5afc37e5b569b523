#include "agent/tape/capture.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#include "base/core/text.h"
#include "base/http/multipart.h"
#include "base/json/base64.h"
#include "base/json/json.h"

/* Headers of requests are never taken: they hold the keys. */
const char *const capture_headers[] = {"Content-Type",
                                       "Retry-After",
                                       "retry-after-ms",
                                       "x-ratelimit-remaining-requests",
                                       "x-ratelimit-remaining-tokens",
                                       "Content-Disposition",
                                       NULL};

/* ---- paths ---- */

static bool holds_credential(const char *name, size_t length)
{
    static const char *const names[] = {"api-key",      "api_key", "apikey", "key",  "token",
                                        "access_token", "sig",     "code",   "auth", "password"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
            return true;
    }
    return false;
}

static void append_parameter(struct buf *out, const char *text, size_t length,
                             const struct tape_tokens *tokens)
{
    const char *equals = memchr(text, '=', length);
    if (equals && holds_credential(text, (size_t)(equals - text))) {
        buf_append(out, text, (size_t)(equals + 1 - text));
        buf_append_text(out, tape_secret_token);
    } else {
        tape_tokens_replace(tokens, text, length, out);
    }
}

char *capture_path(const char *url, const struct tape_tokens *tokens)
{
    struct buf path = {0};
    const char *scheme = strstr(url, "://");
    const char *at = scheme && scheme < url + strcspn(url, "/") ? scheme + 3 : url;
    at += at == url ? 0 : strcspn(at, "/?#");
    size_t length = strcspn(at, "?#");
    if (length == 0)
        buf_append_text(&path, "/");
    tape_tokens_replace(tokens, at, length, &path);
    for (char mark = '?'; at[length] == '?' || at[length] == '&'; mark = '&') {
        at += length + 1;
        length = strcspn(at, "&#");
        buf_append(&path, &mark, 1);
        append_parameter(&path, at, length, tokens);
    }
    return buf_take(&path);
}

/* ---- bodies ---- */

static json_t *as_bytes(const char *data, size_t length)
{
    if (text_is_utf8(data, length))
        return json_pack("{s:s%}", "text", data, length);
    AUTO_BUF struct buf base64 = {0};
    base64_encode(data, length, &base64);
    return json_pack("{s:s%}", "base64", base64.data, base64.length);
}

static json_t *body_of(const char *data, size_t length, const struct tape_tokens *tokens)
{
    AUTO_JSON json_t *value = NULL;
    if (length == 0)
        return NULL;
    if (json_parse_with_nuls(data, length, TAPE_LINE_BYTES_MAX, &value, NULL) < 0)
        value = as_bytes(data, length);
    return tape_tokens_replace_all(tokens, value);
}

/* ---- files ---- */

struct file_digest {
    gnutls_hash_hd_t hash;
    uint64_t bytes;
    char *part;
    char *filename;
};

static int digest_begin(struct file_digest *file, struct error *err)
{
    if (gnutls_hash_init(&file->hash, GNUTLS_DIG_SHA256) != 0)
        return error_set(err, ERROR_SYSTEM, "the digest of a file cannot start");
    return 0;
}

static json_t *digest_end(struct file_digest *file, const struct tape_tokens *tokens)
{
    unsigned char digest[32] = {0};
    char text[TAPE_DIGEST_MAX];
    gnutls_hash_deinit(file->hash, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    AUTO_JSON json_t *upload =
        json_pack("{s:{s:s?, s:s?, s:I, s:s}}", "upload", "part", file->part, "filename",
                  file->filename, "bytes", (json_int_t)file->bytes, "sha256", text);
    free(file->part);
    free(file->filename);
    return tape_tokens_replace_all(tokens, upload);
}

static json_t *upload_of(const struct http_upload *upload, const struct tape_tokens *tokens,
                         struct error *err)
{
    struct file_digest file = {.part = xstrdup(upload->part_name),
                               .filename = xstrdup(upload->filename)};
    char block[16 * 1024];
    if (digest_begin(&file, err) < 0) {
        free(file.part);
        free(file.filename);
        return NULL;
    }
    while (file.bytes < upload->length_bytes) {
        uint64_t left = upload->length_bytes - file.bytes;
        ssize_t n = pread(upload->fd, block, left < sizeof block ? (size_t)left : sizeof block,
                          (off_t)file.bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* the client will find out too */
        gnutls_hash(file.hash, block, (size_t)n);
        file.bytes += (uint64_t)n;
    }
    return digest_end(&file, tokens);
}

static int on_part(void *self, const struct multipart_part *part, struct error *err)
{
    struct file_digest *file = self;
    if (file->part)
        return error_set(err, ERROR_INVALID, "more than one part");
    file->part = xstrdup(part->name);
    file->filename = part->filename ? xstrdup(part->filename) : NULL;
    return 0;
}

static int on_part_data(void *self, const char *data, size_t length, struct error *err)
{
    struct file_digest *file = self;
    (void)err;
    gnutls_hash(file->hash, data, length);
    file->bytes += length;
    return 0;
}

static int on_part_end(void *self, struct error *err)
{
    (void)self;
    (void)err;
    return 0;
}

static json_t *form_of(const struct player_request *received, const struct tape_tokens *tokens,
                       struct error *err)
{
    struct file_digest file = {0};
    struct multipart_handler handler = {&file, on_part, on_part_data, on_part_end};
    struct multipart *form = NULL;
    if (digest_begin(&file, err) < 0)
        return NULL;
    bool is_whole = multipart_create(received->content_type, &handler, &form, err) == 0 &&
                    multipart_feed(form, received->body, received->length, err) == 0 &&
                    multipart_finish(form, err) == 0;
    multipart_destroy(form);
    json_t *upload = digest_end(&file, tokens);
    if (is_whole)
        return upload;
    json_decref(upload);
    return NULL;
}

/* ---- requests ---- */

int capture_sent(const struct http_exchange_options *options, enum tape_party party,
                 const struct tape_tokens *tokens, struct tape_request *ret_request,
                 struct error *err)
{
    json_t *body = options->upload ? upload_of(options->upload, tokens, err)
                                   : body_of(options->body, options->body_length, tokens);
    if (options->upload && !body)
        return -1;
    *ret_request = (struct tape_request){.party = party,
                                         .method = xstrdup(options->method),
                                         .path = capture_path(options->url, tokens),
                                         .body = body};
    return 0;
}

int capture_received(const struct player_request *received, enum tape_party party,
                     const struct tape_tokens *tokens, struct tape_request *ret_request,
                     struct error *err)
{
    static const char form[] = "multipart/form-data";
    bool is_form =
        received->content_type && strncasecmp(received->content_type, form, strlen(form)) == 0;
    json_t *body = is_form ? form_of(received, tokens, err)
                           : body_of(received->body, received->length, tokens);
    if (is_form && !body)
        return -1;
    *ret_request = (struct tape_request){.party = party,
                                         .method = xstrdup(received->method),
                                         .path = capture_path(received->target, tokens),
                                         .body = body};
    return 0;
}
