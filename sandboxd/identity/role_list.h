/* role_list: role assignments as JSON, as `az role assignment list` prints them.
 *
 * In the configuration, and in "role-assignments.json" of the state directory, which keeps those
 * that were made at run time.
 */
#pragma once

#include "sandboxd/identity/roles.h"

struct json_t;

/* Adds those of the array, which may be NULL; other members of each are ignored. The error names
 * the JSON path of the member at fault. */
int role_list_read(struct json_t *list, const char *path, struct roles *roles, struct error *err);

/* No file is no assignment. */
int role_list_load(int state_fd, struct roles *roles, struct error *err);
int role_list_save(int state_fd, const struct roles *roles, struct error *err);
