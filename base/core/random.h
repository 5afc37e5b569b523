/* random: bytes and GUIDs from getrandom(2). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Never fails: getrandom blocks only before the kernel is seeded. */
void random_bytes(void *ret_data, size_t length);

/* A version 4 GUID in lower case with hyphens. */
enum { GUID_TEXT_MAX = 37 };
void random_guid(char ret_text[GUID_TEXT_MAX]);
/* 8-4-4-4-12 hexadecimal digits, in any case. */
bool guid_is_valid(const char *text);
