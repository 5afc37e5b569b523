#include "sandboxd/resource/resource_id.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/core/text.h"

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const struct word {
    const char *title;
    const char *allowed;
    size_t most;
    const char *rule;
} words[] = {
    {"subscription", LETTERS_AND_DIGITS "-_.", RESOURCE_SUBSCRIPTION_MAX,
     "letters, digits, hyphens, underscores and dots"},
    {"resource group", LETTERS_AND_DIGITS "-_.()", RESOURCE_GROUP_MAX,
     "letters, digits, hyphens, underscores, dots and parentheses"},
    {"name", LETTERS_AND_DIGITS "-", POOL_NAME_MAX, "letters, digits and hyphens"},
};

static int copy_word(const struct word *word, const char *text, size_t length, char *ret_text,
                     struct error *err)
{
    if (length == 0 || length > word->most || strspn(text, word->allowed) < length)
        return error_set(err, ERROR_INVALID, "%s: must be 1 to %zu %s", word->title, word->most,
                         word->rule);
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
    return 0;
}

int resource_id_set(const char *subscription, const char *group, const char *name,
                    struct resource_id *ret_id, struct error *err)
{
    struct resource_id id = {0};
    if (subscription &&
        (copy_word(&words[0], subscription, strlen(subscription), id.subscription, err) < 0 ||
         copy_word(&words[1], group, strlen(group), id.group, err) < 0))
        return -1;
    if (copy_word(&words[2], name, strlen(name), id.name, err) < 0)
        return -1;
    *ret_id = id;
    return 0;
}

/* Steps over "/WORD/" in any case. */
static bool skip(const char **at, const char *word)
{
    size_t length = strlen(word);
    char start[48];
    assert(length < sizeof start);
    if (strnlen(*at, length) < length)
        return false;
    memcpy(start, *at, length);
    start[length] = '\0';
    *at += length;
    return text_equal_ignoring_case(start, word);
}

static int take(const struct word *word, const char **at, char *ret_text, struct error *err)
{
    size_t length = strcspn(*at, "/");
    if (copy_word(word, *at, length, ret_text, err) < 0)
        return -1;
    *at += length;
    return 0;
}

static int malformed(struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "must be /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/"
                     "Microsoft.App/sessionPools/NAME");
}

int resource_id_read(const char *text, struct resource_id *ret_id, struct error *err)
{
    struct resource_id id = {0};
    const char *at = text;
    if (!skip(&at, "/subscriptions/"))
        return malformed(err);
    if (take(&words[0], &at, id.subscription, err) < 0)
        return -1;
    if (!skip(&at, "/resourceGroups/"))
        return malformed(err);
    if (take(&words[1], &at, id.group, err) < 0)
        return -1;
    if (!skip(&at, "/providers/Microsoft.App/sessionPools/"))
        return malformed(err);
    if (take(&words[2], &at, id.name, err) < 0)
        return -1;
    if (*at)
        return malformed(err);
    *ret_id = id;
    return 0;
}

bool resource_id_is_of_any(const struct resource_id *id)
{
    return !id->subscription[0];
}

void resource_id_write(const struct resource_id *id, char ret_text[RESOURCE_ID_TEXT_MAX])
{
    int length =
        resource_id_is_of_any(id)
            ? snprintf(ret_text, RESOURCE_ID_TEXT_MAX, "%s", id->name)
            : snprintf(
                  ret_text, RESOURCE_ID_TEXT_MAX,
                  "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.App/sessionPools/%s",
                  id->subscription, id->group, id->name);
    assert(length > 0 && length < RESOURCE_ID_TEXT_MAX);
}

void resource_id_write_path(const struct resource_id *id, char ret_text[RESOURCE_ID_TEXT_MAX])
{
    bool of_any = resource_id_is_of_any(id);
    int length = snprintf(
        ret_text, RESOURCE_ID_TEXT_MAX, "/subscriptions/%s/resourceGroups/%s/sessionPools/%s",
        of_any ? RESOURCE_LOCAL : id->subscription, of_any ? RESOURCE_LOCAL : id->group, id->name);
    assert(length > 0 && length < RESOURCE_ID_TEXT_MAX);
}

bool resource_id_equal(const struct resource_id *a, const struct resource_id *b)
{
    return text_equal_ignoring_case(a->subscription, b->subscription) &&
           text_equal_ignoring_case(a->group, b->group) &&
           text_equal_ignoring_case(a->name, b->name);
}
