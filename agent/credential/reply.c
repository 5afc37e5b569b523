#include "agent/credential/reply.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/credential/credential.h"
#include "base/core/cleanup.h"
#include "base/json/json.h"

/* ---- when it expires ---- */

/* Azure CLI before 2.54 tells local time only. */
static bool read_date(const char *text, int64_t *ret_seconds)
{
    struct tm tm = {.tm_isdst = -1};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    bool is_utc = rest && strchr(rest, 'Z');
    if (!rest)
        rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (!rest && (rest = strptime(text, "%m/%d/%Y %H:%M:%S", &tm)))
        is_utc = strcmp(rest, " +00:00") == 0;
    if (!rest)
        return false;
    *ret_seconds = is_utc ? timegm(&tm) : mktime(&tm);
    return true;
}

static int64_t read_expiry(json_t *reply, int64_t now_s)
{
    static const char *const moments[] = {"expires_on", "expiresOn"};
    struct error ignored;
    int64_t seconds = 0;
    const char *text = NULL;
    if (json_get_integer_optional(reply, "", "expires_in", 0, JSON_INTEGER_MAX / 2, &seconds,
                                  &ignored) == 0 &&
        seconds > 0)
        return now_s + seconds;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        if (json_get_integer_optional(reply, "", moments[i], 0, JSON_INTEGER_MAX, &seconds,
                                      &ignored) == 0 &&
            seconds > 0)
            return seconds;
        if (json_get_text_optional(reply, "", moments[i], &text, &ignored) == 0 && text &&
            read_date(text, &seconds))
            return seconds;
    }
    return now_s + TOKEN_LIFETIME_UNKNOWN_S;
}

/* ---- the token ---- */

int token_reply_read(const char *data, size_t length, int64_t now_s, struct token_reply *ret_reply,
                     struct error *err)
{
    static const char *const names[] = {"access_token", "accessToken", "token"};
    AUTO_JSON json_t *reply = NULL;
    if (json_parse(data, length, TOKEN_REPLY_BYTES_MAX, &reply, err) < 0)
        return error_set(err, ERROR_INVALID, "the reply is not JSON");
    const char *token = NULL;
    struct error ignored;
    for (size_t i = 0; i < sizeof names / sizeof *names && !token; i++)
        json_get_text_optional(reply, "", names[i], &token, &ignored);
    if (!token || !credential_token_is_valid(token, strlen(token)))
        return error_set(err, ERROR_INVALID, "the reply holds no usable token");
    ret_reply->token = xstrdup(token);
    ret_reply->expires_s = read_expiry(reply, now_s);
    return 0;
}

void token_reply_clear(struct token_reply *reply)
{
    if (reply->token)
        explicit_bzero(reply->token, strlen(reply->token));
    free(reply->token);
    *reply = (struct token_reply){0};
}

/* ---- refusals ---- */

void token_scrub(char *text)
{
    enum { WORD_BYTES_MAX = 40 }; /* a GUID has 36 */
    for (char *at = text; *at;) {
        size_t word = 0;
        while (isalnum((unsigned char)at[word]) || (at[word] && strchr("-._~+=", at[word])))
            word++;
        if (word <= WORD_BYTES_MAX) {
            at += word ? word : 1;
            continue;
        }
        for (int i = 0; i < 3; i++)
            *at++ = '*';
        memmove(at, at + word - 3, strlen(at + word - 3) + 1);
    }
}

/* {"error": "code", "error_description": "..."}, {"error": {"code", "message"}} or {"message"} */
static void find_words(json_t *reply, const char **ret_code, const char **ret_words)
{
    struct error ignored;
    json_t *inner = NULL;
    json_get_text_optional(reply, "", "error", ret_code, &ignored);
    json_get_text_optional(reply, "", "error_description", ret_words, &ignored);
    if (json_get_object_optional(reply, "", "error", &inner, &ignored) < 0 || !inner)
        inner = reply;
    json_get_text_optional(inner, "", "code", ret_code, &ignored);
    json_get_text_optional(inner, "", "message", ret_words, &ignored);
}

int token_reply_refusal(unsigned status, const char *data, size_t length, struct error *err)
{
    const char *code = "", *words = "";
    struct error ignored;
    AUTO_JSON json_t *reply = NULL;
    if (json_parse(data, length, TOKEN_REPLY_BYTES_MAX, &reply, &ignored) == 0)
        find_words(reply, &code, &words);
    AUTO_FREE char *safe = xasprintf("%.64s%s%.300s", code, *code && *words ? ": " : "", words);
    token_scrub(safe);
    return error_set(err, ERROR_DENIED, "it answered %u%s%s", status, *safe ? " " : "", safe);
}
