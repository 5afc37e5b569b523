#include "base/core/variable.h"

#include <stdlib.h>

const char *variable_get(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

const char *variable_first(const char *const *names)
{
    const char *value = NULL;
    for (; *names && !value; names++)
        value = variable_get(*names);
    return value;
}
