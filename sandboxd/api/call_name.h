/* call_name: system calls by name, for people. The table is made by the build, from the headers of
 * the kernel. */
#pragma once

#include <stdint.h>

enum { CALL_NAME_MAX = 32 };

/* Static, or written into ret_text for a call without a name: "call-9999". */
const char *call_name(uint32_t number, char ret_text[CALL_NAME_MAX]);
