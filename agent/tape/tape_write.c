#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "agent/tape/tape.h"
#include "base/core/text.h"
#include "base/json/base64.h"

const char tape_secret_token[] = "<secret>";

/* ---- digests ---- */

void tape_digest(const void *data, size_t length, char ret_digest[TAPE_DIGEST_MAX])
{
    unsigned char digest[32];
    gnutls_hash_fast(GNUTLS_DIG_SHA256, data, length, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret_digest + 2 * i, 3, "%02x", digest[i]);
}

void tape_request_digest(const struct tape_request *request, char ret_digest[TAPE_DIGEST_MAX])
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *body =
        request->body ? json_dumps(request->body, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY)
                      : NULL;
    buf_printf(&text, "%s %s\n", request->method, request->path);
    if (body)
        buf_append_text(&text, body);
    tape_digest(text.data, text.length, ret_digest);
}

/* ---- tokens ---- */

static void remove_token(struct tape_tokens *tokens, size_t index)
{
    free(tokens->items[index].text);
    free(tokens->items[index].token);
    tokens->count--;
    memmove(&tokens->items[index], &tokens->items[index + 1],
            (tokens->count - index) * sizeof *tokens->items);
}

bool tape_tokens_add(struct tape_tokens *tokens, const char *text, const char *token)
{
    if (strlen(text) < TAPE_SECRET_BYTES_MIN)
        return false;
    bool is_secret = strcmp(token, tape_secret_token) == 0;
    for (size_t i = tokens->count; i > 0; i--) {
        struct tape_token *item = &tokens->items[i - 1];
        if (strcmp(item->text, text) == 0 || (!is_secret && strcmp(item->token, token) == 0))
            remove_token(tokens, i - 1);
    }
    if (tokens->count == TAPE_TOKENS_MAX)
        return false;
    size_t at = 0; /* the longest first: one may hold another */
    while (at < tokens->count && strlen(tokens->items[at].text) >= strlen(text))
        at++;
    memmove(&tokens->items[at + 1], &tokens->items[at],
            (tokens->count - at) * sizeof *tokens->items);
    tokens->items[at] = (struct tape_token){.text = xstrdup(text), .token = xstrdup(token)};
    tokens->count++;
    return true;
}

void tape_tokens_clear(struct tape_tokens *tokens)
{
    while (tokens->count > 0)
        remove_token(tokens, tokens->count - 1);
}

static bool begins_with(const char *text, size_t length, const char *what)
{
    size_t what_length = strlen(what);
    return length >= what_length && memcmp(text, what, what_length) == 0;
}

static const struct tape_token *text_at(const struct tape_tokens *tokens, const char *text,
                                        size_t length)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (begins_with(text, length, tokens->items[i].text))
            return &tokens->items[i];
    }
    return NULL;
}

static const struct tape_token *token_at(const struct tape_tokens *tokens, const char *text,
                                         size_t length)
{
    for (size_t i = 0; i < tokens->count; i++) {
        const struct tape_token *item = &tokens->items[i];
        if (strcmp(item->token, tape_secret_token) != 0 && begins_with(text, length, item->token))
            return item;
    }
    return NULL;
}

void tape_tokens_replace(const struct tape_tokens *tokens, const char *text, size_t length,
                         struct buf *out)
{
    for (size_t at = 0; at < length;) {
        const struct tape_token *item = text_at(tokens, text + at, length - at);
        if (item)
            buf_append_text(out, item->token);
        else
            buf_append(out, text + at, 1);
        at += item ? strlen(item->text) : 1;
    }
}

void tape_tokens_restore(const struct tape_tokens *tokens, const char *text, size_t length,
                         struct buf *out)
{
    for (size_t at = 0; at < length;) {
        const struct tape_token *item = token_at(tokens, text + at, length - at);
        if (item)
            buf_append_text(out, item->text);
        else
            buf_append(out, text + at, 1);
        at += item ? strlen(item->token) : 1;
    }
}

json_t *tape_tokens_replace_all(const struct tape_tokens *tokens, json_t *value)
{
    const char *key;
    json_t *member, *copy;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        copy = json_object();
        json_object_foreach(value, key, member)
            json_object_set_new(copy, key, tape_tokens_replace_all(tokens, member));
        return copy;
    case JSON_ARRAY:
        copy = json_array();
        json_array_foreach(value, i, member)
            json_array_append_new(copy, tape_tokens_replace_all(tokens, member));
        return copy;
    case JSON_STRING: {
        AUTO_BUF struct buf text = {0};
        tape_tokens_replace(tokens, json_string_value(value), json_string_length(value), &text);
        return json_stringn(text.data ? text.data : "", text.length);
    }
    default:
        return json_incref(value);
    }
}

/* ---- lines ---- */

int tape_create_file(const char *path, int *ret_fd, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(err, ERROR_CONFLICT,
                         "%s is there already: remove it, or play it with --tape-mode replay",
                         path);
    if (fd < 0)
        return error_from_errno(err, "%s", path);
    *ret_fd = fd;
    return 0;
}

int tape_write(int fd, json_t *event, struct error *err)
{
    AUTO_FREE char *text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(event);
    if (!text)
        return error_set(err, ERROR_SYSTEM, "tape: the event is no JSON");
    AUTO_BUF struct buf line = {0};
    buf_printf(&line, "%s\n", text);
    for (size_t at = 0; at < line.length;) {
        ssize_t n = write(fd, line.data + at, line.length - at);
        if (n < 0 && errno != EINTR)
            return error_from_errno(err, "write the tape");
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static json_t *new_event(const char *name)
{
    return json_pack("{s:s}", "event", name);
}

static int write_request(int fd, const struct tape_exchange *exchange, struct error *err)
{
    const struct tape_request *request = &exchange->request;
    bool is_model = request->party == TAPE_MODEL;
    char digest[TAPE_DIGEST_MAX];
    tape_request_digest(request, digest);
    json_t *event = new_event(is_model ? "llm.request" : "session.request");
    json_object_set_new(event, "method", json_string(request->method));
    json_object_set_new(event, "path", json_string(request->path));
    json_object_set(event, "body", request->body ? request->body : json_null());
    json_object_set_new(event, "sha256", json_string(digest));
    return tape_write(fd, event, err);
}

static int write_response(int fd, const struct tape_exchange *exchange,
                          const struct tape_tokens *tokens, struct error *err)
{
    const struct reply *reply = &exchange->reply;
    json_t *event =
        new_event(exchange->request.party == TAPE_MODEL ? "llm.response" : "session.response");
    json_t *headers = json_object();
    for (size_t i = 0; i < reply->header_count; i++) {
        AUTO_BUF struct buf value = {0};
        const char *text = reply->headers[i].value;
        tape_tokens_replace(tokens, text, strlen(text), &value);
        json_object_set_new(headers, reply->headers[i].name,
                            json_string(value.data ? value.data : ""));
    }
    json_object_set_new(event, "status", json_integer(reply->status));
    json_object_set_new(event, "headers", headers);
    return tape_write(fd, event, err);
}

static int write_chunk(int fd, const char *data, size_t length, int64_t time_ms, struct error *err)
{
    json_t *event = new_event("chunk");
    json_object_set_new(event, "t_ms", json_integer(time_ms));
    if (text_is_utf8(data, length)) {
        json_object_set_new(event, "text", json_stringn(data, length));
    } else {
        AUTO_BUF struct buf base64 = {0};
        base64_encode(data, length, &base64);
        json_object_set_new(event, "base64", json_stringn(base64.data, base64.length));
    }
    return tape_write(fd, event, err);
}

/* Where the piece that begins at `start` may end: not inside of what a token stands for. */
static bool lies_across(const struct tape_tokens *tokens, const struct buf *body, size_t at)
{
    for (size_t i = 0; i < tokens->count; i++) {
        size_t length = strlen(tokens->items[i].text);
        size_t from = at >= length ? at - length + 1 : 0;
        for (size_t start = from; start < at; start++) {
            if (begins_with(body->data + start, body->length - start, tokens->items[i].text))
                return true;
        }
    }
    return false;
}

static int write_chunks(int fd, const struct reply *reply, const struct tape_tokens *tokens,
                        struct error *err)
{
    int64_t time_ms = 0;
    size_t start = 0;
    for (size_t i = 0; i < reply->piece_count; i++) {
        size_t end = reply->pieces[i].end;
        time_ms += reply->pieces[i].delay_ms;
        if (end < reply->body.length && lies_across(tokens, &reply->body, end))
            continue;
        AUTO_BUF struct buf text = {0};
        tape_tokens_replace(tokens, reply->body.data + start, end - start, &text);
        if (write_chunk(fd, text.data, text.length, time_ms, err) < 0)
            return -1;
        start = end;
    }
    return 0;
}

int tape_write_exchange(int fd, const struct tape_exchange *exchange,
                        const struct tape_tokens *tokens, struct error *err)
{
    if (write_request(fd, exchange, err) < 0)
        return -1;
    if (!exchange->is_answered)
        return 0;
    if (write_response(fd, exchange, tokens, err) < 0 ||
        write_chunks(fd, &exchange->reply, tokens, err) < 0)
        return -1;
    json_t *end = new_event("end");
    if (exchange->reply.is_cut)
        json_object_set_new(end, "cut", json_true());
    return tape_write(fd, end, err);
}
