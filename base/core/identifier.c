#include "base/core/identifier.h"

bool identifier_is_valid(const char *text, size_t length)
{
    if (length < IDENTIFIER_LENGTH_MIN || length > IDENTIFIER_LENGTH_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return true;
}
