/* descriptors: which files a program of ours has open when it begins. */
#pragma once

#include "base/core/error.h"

enum { DESCRIPTORS_FIRST = 3, DESCRIPTORS_MAX = 32 };

/* fds[i] becomes number 3 + i, whatever numbers they have now; where it is -1, that number is
 * closed. All others but the standard three are closed by the next exec. */
int descriptors_place(const int *fds, int count, struct error *err);

/* The same, and becomes the program, without an environment. Returns only on failure. */
int descriptors_execute(int executable_fd, const char *const *arguments, const int *fds, int count,
                        struct error *err);

/* Closes every descriptor from `first` on. */
int descriptors_close_from(unsigned first, struct error *err);
