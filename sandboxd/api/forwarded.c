#include "sandboxd/api/forwarded.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The first word of a list. */
static const char *first_word(const char *value, size_t *ret_length)
{
    value += strspn(value, " \t");
    size_t length = strcspn(value, ",");
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    *ret_length = length;
    return value;
}

const char *forwarded_read_scheme(const char *value)
{
    static const char *const schemes[] = {"http", "https"};
    size_t length = 0;
    const char *word = value ? first_word(value, &length) : NULL;
    for (size_t i = 0; word && i < sizeof schemes / sizeof *schemes; i++) {
        if (length == strlen(schemes[i]) && strncasecmp(word, schemes[i], length) == 0)
            return schemes[i];
    }
    return NULL;
}

bool forwarded_read_host(const char *value, char ret_host[FORWARDED_HOST_MAX])
{
    static const char host_characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    size_t length = 0;
    const char *word = value ? first_word(value, &length) : NULL;
    if (!word || length == 0 || length >= FORWARDED_HOST_MAX ||
        strspn(word, host_characters) < length)
        return false;
    memcpy(ret_host, word, length);
    ret_host[length] = '\0';
    return true;
}
