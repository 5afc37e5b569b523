/* secret: random words that somebody must know: the identity header, the keys of MCP endpoints.
 */
#pragma once

#include <stdbool.h>

#include "base/core/error.h"

/* 256 random bits in hexadecimal. */
enum { SECRET_TEXT_MAX = 65 };

void secret_make(char ret_text[SECRET_TEXT_MAX]);

/* Reads the secret in the file `name` (mode 0600); makes it where there is none and may_create is
 * set. Anything else in the file is ERROR_INVALID and stays as it is. */
int secret_open(int state_fd, const char *name, bool may_create, char ret_text[SECRET_TEXT_MAX],
                struct error *err);

/* In a time that does not depend on where they differ. candidate may be NULL, which never matches.
 */
bool secret_matches(const char *secret, const char *candidate);
