/* constants: the names that a policy may use for numbers of the kernel's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False when the name is not known. */
bool constants_find(const char *name, uint64_t *ret_value);
/* The name with that prefix that stands for the value, or NULL. */
const char *constants_name(const char *prefix, uint64_t value);
/* NULL behind the last. */
const char *constants_next(size_t index);
