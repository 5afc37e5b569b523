#include "agent/llm/refusal.h"

#include <ctype.h>
#include <string.h>

#include "base/json/json.h"

/* Copies as much as fits, in whole characters. */
static void copy_text(char *ret_text, size_t capacity, const char *text, size_t length)
{
    if (length >= capacity) {
        length = capacity - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
}

/* Strings, and the numbers that some servers put in their place. */
static void copy_member(json_t *object, const char *key, char *ret_text, size_t capacity)
{
    json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        copy_text(ret_text, capacity, json_string_value(value), strlen(json_string_value(value)));
    else if (json_is_integer(value))
        snprintf(ret_text, capacity, "%lld", (long long)json_integer_value(value));
}

static bool is_filtered(json_t *result)
{
    return json_is_true(json_object_get(result, "filtered")) ||
           json_is_true(json_object_get(result, "detected"));
}

static void read_filters(json_t *error, struct refusal *refusal)
{
    json_t *inner = json_object_get(error, "innererror");
    json_t *results = json_object_get(inner, "content_filter_result");
    if (!results)
        results = json_object_get(error, "content_filter_result");
    const char *name;
    json_t *result;
    json_object_foreach(results, name, result)
    {
        size_t length = strlen(refusal->filters);
        if (is_filtered(result) && length + strlen(name) + 3 < sizeof refusal->filters)
            snprintf(refusal->filters + length, sizeof refusal->filters - length, "%s%s",
                     length ? ", " : "", name);
    }
}

static void read_object(json_t *error, struct refusal *refusal)
{
    copy_member(error, "type", refusal->type, sizeof refusal->type);
    copy_member(error, "code", refusal->code, sizeof refusal->code);
    if (!refusal->code[0])
        memcpy(refusal->code, refusal->type, sizeof refusal->code);
    copy_member(error, "param", refusal->param, sizeof refusal->param);
    copy_member(error, "message", refusal->message, sizeof refusal->message);
    read_filters(error, refusal);
}

/* FastAPI's {"detail": "..."} or {"detail": [{"loc": ["body", "temperature"], "msg": "..."}]}. */
static void read_detail(json_t *detail, struct refusal *refusal)
{
    if (json_is_string(detail)) {
        const char *text = json_string_value(detail);
        copy_text(refusal->message, sizeof refusal->message, text, strlen(text));
        return;
    }
    json_t *first = json_array_get(detail, 0);
    json_t *where = json_object_get(first, "loc");
    copy_member(first, "msg", refusal->message, sizeof refusal->message);
    json_t *name = json_array_get(where, json_array_size(where) > 1 ? 1 : 0);
    if (json_is_string(name))
        copy_text(refusal->param, sizeof refusal->param, json_string_value(name),
                  strlen(json_string_value(name)));
}

bool refusal_read(json_t *root, struct refusal *ret_refusal)
{
    struct refusal refusal = {0};
    json_t *error = json_object_get(root, "error");
    const char *type = json_string_value(json_object_get(root, "type"));
    if (type && strcmp(type, "response.failed") == 0)
        error = json_object_get(json_object_get(root, "response"), "error");
    const char *object = json_string_value(json_object_get(root, "object"));
    if (json_is_object(error)) {
        read_object(error, &refusal);
    } else if (json_is_string(error)) {
        const char *text = json_string_value(error);
        copy_text(refusal.message, sizeof refusal.message, text, strlen(text));
    } else if (json_object_get(root, "statusCode") || (object && strcmp(object, "error") == 0) ||
               (type && strcmp(type, "error") == 0) ||
               (type && strcmp(type, "response.failed") == 0)) {
        read_object(root, &refusal);
        if (!refusal.code[0])
            copy_member(root, "statusCode", refusal.code, sizeof refusal.code);
    } else if (json_object_get(root, "detail")) {
        read_detail(json_object_get(root, "detail"), &refusal);
    } else {
        return false;
    }
    *ret_refusal = refusal;
    return true;
}

void refusal_read_body(const char *data, size_t length, struct refusal *ret_refusal)
{
    enum { BODY_BYTES_MAX = 1024 * 1024, WORDS_BYTES_MAX = 160 };
    AUTO_JSON json_t *root = NULL;
    struct error ignored;
    struct refusal refusal = {0};
    if (length > 0 && json_parse(data, length, BODY_BYTES_MAX, &root, &ignored) == 0 &&
        refusal_read(root, ret_refusal))
        return;
    /* Not JSON, or of another form: a proxy's page, mostly. */
    size_t kept = 0;
    for (size_t i = 0; i < length && kept < WORDS_BYTES_MAX; i++) {
        unsigned char c = (unsigned char)data[i];
        bool is_blank = c <= ' ' || c >= 0x7f;
        if (!is_blank || (kept > 0 && refusal.message[kept - 1] != ' '))
            refusal.message[kept++] = is_blank ? ' ' : (char)c;
    }
    *ret_refusal = refusal;
}

/* ---- what it is about ---- */

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* In quotes, or in a list behind a colon. */
static bool is_set_off(const char *text, const char *at)
{
    if (at == text || strchr("'\"`.[(", at[-1]))
        return true;
    return at - text >= 2 && at[-1] == ' ' && (at[-2] == ':' || at[-2] == ',');
}

/* A parameter's name, whole. Short ones are English words too: those count only where they are set
 * off from the sentence. */
static bool has_name(const char *text, const char *name)
{
    enum { ENGLISH_BYTES_MAX = 7 };
    size_t length = strlen(name);
    bool may_be_english = length <= ENGLISH_BYTES_MAX;
    for (const char *at = text; (at = strcasestr(at, name)); at++) {
        if ((at == text || !is_word_byte(at[-1])) && !is_word_byte(at[length]) &&
            (!may_be_english || is_set_off(text, at)))
            return true;
    }
    return false;
}

static bool says_any(const char *text, const char *const *phrases)
{
    for (; *phrases; phrases++) {
        if (strcasestr(text, *phrases))
            return true;
    }
    return false;
}

bool refusal_names(const struct refusal *refusal, const char *parameter)
{
    return has_name(refusal->param, parameter) || has_name(refusal->message, parameter);
}

bool refusal_is_about_support(const struct refusal *refusal)
{
    static const char *const phrases[] = {"unsupported",    "not supported",
                                          "not support",    "unrecognized",
                                          "unknown",        "not permitted",
                                          "not allowed",    "not available",
                                          "unexpected",     "extra inputs",
                                          "extra fields",   "not implemented",
                                          "not recognized", NULL};
    return says_any(refusal->code, phrases) || says_any(refusal->message, phrases);
}

bool refusal_is_about_tools(const struct refusal *refusal)
{
    static const char *const phrases[] = {"--jinja", "enable-auto-tool-choice",
                                          "does not support tool", "does not support function",
                                          NULL};
    if (says_any(refusal->message, phrases))
        return true;
    return refusal_is_about_support(refusal) &&
           (strcmp(refusal->param, "tools") == 0 || has_name(refusal->message, "tools") ||
            strcasestr(refusal->message, "tool use") || strcasestr(refusal->message, "tool call"));
}

bool refusal_is_about_context_length(const struct refusal *refusal)
{
    static const char *const phrases[] = {"maximum context length",
                                          "context length exceeded",
                                          "exceeds the available context",
                                          "context window",
                                          "exceed_context_size",
                                          "prompt is too long",
                                          NULL};
    return strcmp(refusal->code, "context_length_exceeded") == 0 ||
           says_any(refusal->type, phrases) || says_any(refusal->message, phrases);
}

bool refusal_is_about_content(const struct refusal *refusal)
{
    return strcmp(refusal->code, "content_filter") == 0 || refusal->filters[0] ||
           strcasestr(refusal->message, "content management policy");
}

bool refusal_is_about_quota(const struct refusal *refusal)
{
    return strcmp(refusal->code, "insufficient_quota") == 0 ||
           strcmp(refusal->type, "insufficient_quota") == 0;
}
