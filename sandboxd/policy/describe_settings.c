#include "sandboxd/policy/describe_settings.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sandboxd/policy/settings.h"

/* "most 1024" or "bytes 1048576, files 16": all but the name and the why. */
static void describe_entry(json_t *entry, const char *key, struct buf *out)
{
    const char *member, *separator = "";
    json_t *value;
    if (!entry) {
        buf_printf(out, "nothing");
        return;
    }
    json_object_foreach(entry, member, value)
    {
        if (strcmp(member, key) == 0 || strcmp(member, "why") == 0)
            continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        buf_printf(out, "%s%s %s", separator, member, text ? text : "?");
        free(text);
        separator = ", ";
    }
    if (!*separator)
        buf_printf(out, "there");
}

static const char *text_of(json_t *entry, const char *member)
{
    return json_string_value(json_object_get(entry, member));
}

void describe_settings(const struct policy *policy, struct buf *out)
{
    for (size_t i = 0; settings_section(i); i++) {
        json_t *array = json_object_get(policy->settings, settings_section(i)), *entry;
        size_t index;
        if (json_array_size(array) > 0)
            buf_printf(out, "\n%s:\n", settings_section(i));
        json_array_foreach(array, index, entry)
        {
            buf_printf(out, "  %s: ", text_of(entry, settings_key(i)));
            describe_entry(entry, settings_key(i), out);
            buf_printf(out, "\n    why: %s\n", text_of(entry, "why"));
        }
    }
}

static json_t *find(json_t *array, const char *key, const char *name)
{
    json_t *entry;
    size_t index;
    json_array_foreach(array, index, entry)
    {
        if (strcmp(text_of(entry, key), name) == 0)
            return entry;
    }
    return NULL;
}

static bool says_the_same(json_t *a, json_t *b, const char *key)
{
    struct buf left = {0}, right = {0};
    describe_entry(a, key, &left);
    describe_entry(b, key, &right);
    bool same = strcmp(left.data, right.data) == 0;
    buf_free(&left);
    buf_free(&right);
    return same;
}

/* What one of the arrays names; only_new: and the other does not. */
static size_t compare(const struct policy *a, const struct policy *b, size_t section, bool only_new,
                      struct buf *out)
{
    const char *member = settings_section(section), *key = settings_key(section);
    json_t *left = json_object_get(a->settings, member), *right, *entry;
    size_t index, count = 0;
    right = json_object_get(b->settings, member);
    json_array_foreach(only_new ? right : left, index, entry)
    {
        const char *name = text_of(entry, key);
        json_t *one = find(left, key, name), *other = find(right, key, name);
        if ((only_new && one) || says_the_same(one, other, key))
            continue;
        buf_printf(out, "%s.%s: %s: ", member, name, a->name);
        describe_entry(one, key, out);
        buf_printf(out, " | %s: ", b->name);
        describe_entry(other, key, out);
        buf_printf(out, "\n");
        count++;
    }
    return count;
}

size_t describe_settings_difference(const struct policy *a, const struct policy *b, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; settings_section(i); i++)
        count += compare(a, b, i, false, out) + compare(a, b, i, true, out);
    return count;
}
