#include "base/json/position.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    const char *at;
    const char *end;
};

static void skip_space(struct walk *w)
{
    while (w->at < w->end && (*w->at == ' ' || *w->at == '\t' || *w->at == '\n' || *w->at == '\r'))
        w->at++;
}

static bool take(struct walk *w, char expected)
{
    if (w->at == w->end || *w->at != expected)
        return false;
    w->at++;
    return true;
}

/* Past a string that begins here. */
static bool skip_string(struct walk *w)
{
    if (!take(w, '"'))
        return false;
    while (w->at < w->end) {
        char c = *w->at++;
        if (c == '"')
            return true;
        if (c == '\\' && w->at < w->end)
            w->at++;
    }
    return false;
}

/* Past one value; brackets are counted, not matched. */
static void skip_value(struct walk *w)
{
    size_t depth = 0;
    do {
        skip_space(w);
        if (w->at == w->end)
            return;
        char c = *w->at;
        bool closes = c == ']' || c == '}';
        if (depth == 0 && (closes || c == ','))
            return;
        if (c == '"') {
            skip_string(w);
            continue;
        }
        w->at++;
        if (c == '[' || c == '{')
            depth++;
        else if (closes)
            depth--;
        else if (depth == 0)
            while (w->at < w->end && !strchr(",]} \t\r\n", *w->at))
                w->at++;
    } while (depth > 0);
}

/* To the value of a member of the object that begins here. */
static bool enter_member(struct walk *w, const char *key, size_t key_length)
{
    if (!take(w, '{'))
        return false;
    do {
        skip_space(w);
        const char *start = w->at + 1;
        if (!skip_string(w))
            return false;
        size_t length = (size_t)(w->at - 1 - start);
        skip_space(w);
        if (!take(w, ':'))
            return false;
        skip_space(w);
        if (length == key_length && memcmp(start, key, length) == 0)
            return true;
        skip_value(w);
        skip_space(w);
    } while (take(w, ','));
    return false;
}

static bool enter_item(struct walk *w, unsigned long index)
{
    if (!take(w, '['))
        return false;
    for (unsigned long i = 0;; i++) {
        skip_space(w);
        if (w->at == w->end || *w->at == ']')
            return false;
        if (i == index)
            return true;
        skip_value(w);
        skip_space(w);
        if (!take(w, ','))
            return false;
    }
}

/* One step of the path: ".key" or "[index]". */
static bool enter(struct walk *w, const char **path)
{
    if (**path == '[') {
        char *end;
        unsigned long index = strtoul(*path + 1, &end, 10);
        *path = *end == ']' ? end + 1 : end;
        return *end == ']' && enter_item(w, index);
    }
    if (**path == '.')
        ++*path;
    size_t length = strcspn(*path, ".[");
    const char *key = *path;
    *path += length;
    return length > 0 && enter_member(w, key, length);
}

size_t json_position_line(const char *data, size_t length, const char *path)
{
    static const char mark[] = "\xEF\xBB\xBF";
    struct walk walk = {data, data + length};
    if (length >= sizeof mark - 1 && memcmp(data, mark, sizeof mark - 1) == 0)
        walk.at += sizeof mark - 1;
    skip_space(&walk);
    const char *found = walk.at;
    while (*path && enter(&walk, &path))
        found = walk.at;
    size_t line = 1;
    for (const char *at = data; at < found; at++)
        line += *at == '\n';
    return line;
}
