/* knob: a file of the kernel's that takes a word. */
#pragma once

#include "base/core/error.h"

/* Writes it at once; path is below dir_fd, or absolute. */
int knob_write(int dir_fd, const char *path, const char *word, struct error *err);
