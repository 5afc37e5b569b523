/* shell_syntax: one assignment of an environment variable, as a shell or a file of variables has
 * it.
 */
#pragma once

#include "base/core/buf.h"
#include "base/core/error.h"

enum shell_syntax { SHELL_SH, SHELL_FISH, SHELL_DOTENV, SHELL_GITHUB, SHELL_SYNTAX_END };

/* "sh", "fish", "dotenv", "github"; ERROR_INVALID names them for any other word. */
int shell_syntax_find(const char *name, enum shell_syntax *ret_syntax, struct error *err);

/* Appends one line that gives the variable exactly this value. ERROR_INVALID when the value has
 * control characters, which no file of variables can hold. */
int shell_syntax_write(enum shell_syntax syntax, const char *name, const char *value,
                       struct buf *out, struct error *err);
