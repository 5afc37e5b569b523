/* json_file: small JSON documents in a directory that is kept between starts. */
#pragma once

#include <sys/types.h>

#include "base/json/json.h"

/* Reads and parses `name`, as state_file_read and json_parse do: a byte order mark, a limit and a
 * mode are theirs. Errors name the file; ERROR_MISSING when it is not there. The value is returned.
 */
int json_file_read(int directory_fd, const char *name, mode_t mode, size_t limit_bytes,
                   json_t **ret_value, struct error *err);
