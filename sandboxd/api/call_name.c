#include "sandboxd/api/call_name.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

extern const char *const call_names[];
extern const size_t call_name_count;

const char *call_name(uint32_t number, char ret_text[CALL_NAME_MAX])
{
    if (number < call_name_count && call_names[number])
        return call_names[number];
    snprintf(ret_text, CALL_NAME_MAX, "call-%" PRIu32, number);
    return ret_text;
}
