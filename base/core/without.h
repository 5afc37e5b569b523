/* without: one layer left out, for the check that a test notices it (tests/mutation). Such a build
 * cannot be installed. */
#pragma once

#ifdef SANDPOOL_LEAVES_OUT
#include "left_out.h"
#else
#define SANDPOOL_WITHOUT ""
#endif

/* True in every build that is of use, for the compiler too. The names: cmake/without.cmake. */
#define LAYER(name) (__builtin_strcmp(SANDPOOL_WITHOUT, name) != 0)
