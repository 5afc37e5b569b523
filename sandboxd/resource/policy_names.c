#include "sandboxd/resource/policy_names.h"

#include <string.h>

static const char *known = "";

void policy_names_set(const char *names)
{
    known = names;
}

int policy_names_find(const char *name, uint8_t *ret_number, struct error *err)
{
    uint8_t number = 0;
    *ret_number = 0;
    for (const char *at = known; *at; number++) {
        size_t length = strcspn(at, " ");
        if (length == strlen(name) && memcmp(at, name, length) == 0) {
            *ret_number = number;
            return 0;
        }
        at += length + (at[length] == ' ');
    }
    return *known ? error_set(err, ERROR_INVALID, "there is no policy \"%.40s\"; there are: %s",
                              name, known)
                  : 0;
}
