/* env_file: the text of a .env file as names and values (the form that python-dotenv, azd and
 * docker read).
 *
 * NAME=value, one a line, `export` allowed before it. A value may stand in single quotes (as it is)
 * or double quotes (\n, \t, \", \\ and \$ undone; may hold line ends); without quotes it ends
 * before " #" and loses blanks around it. Nothing is expanded. Pure.
 */
#pragma once

#include <stddef.h>

#include "base/core/error.h"

enum { ENV_FILE_BYTES_MAX = 256 * 1024, ENV_NAME_BYTES_MAX = 128 };

/* name and value are borrowed for the call and NUL-terminated. */
typedef void env_file_handler(void *self, const char *name, const char *value);

/* ERROR_INVALID with the line's number, and nothing of the line: it may be a secret. Names before
 * that line have been handed on. */
int env_file_read(const char *text, size_t length, env_file_handler *on_variable, void *self,
                  struct error *err);
