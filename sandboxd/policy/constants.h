/* constants: the names that a policy may use for numbers of the kernel's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* False when the name is not known. */
bool constants_find(const char *name, uint64_t *ret_value);
