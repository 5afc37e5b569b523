/* variable: the environment's variables, where an empty one counts as absent. */
#pragma once

/* The value, or NULL where it is unset or empty. */
const char *variable_get(const char *name);
/* The value of the first name that has one; the list ends with NULL. */
const char *variable_first(const char *const *names);
