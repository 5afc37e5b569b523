/* unit: what every unit test includes: cmocka with the headers that it needs before it.
 *
 * A test's name is a sentence about behaviour, so that a failing run reads as a list of things that
 * are no longer true.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The message names what is at fault. Needs a struct error. */
#define assert_error(err, expected_code, expected_word)                                            \
    do {                                                                                           \
        assert_int_equal((err).code, expected_code);                                               \
        if (!strstr((err).message, expected_word))                                                 \
            fail_msg("\"%s\" does not say \"%s\"", (err).message, expected_word);                  \
    } while (0)
