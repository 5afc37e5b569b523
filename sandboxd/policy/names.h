/* names: words of policies for numbers of the kernel: calls, their arguments, errors. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The name of a call, or NULL where there is none; lives as long as the process. */
const char *names_call(int number);
/* Call number i of all that have a name, for document_hint. */
const char *names_next_call(size_t index);
/* What the manual calls an argument: "domain"; "argument 5" where nothing is known of it. Into
 * ret_text. */
enum { NAMES_ARGUMENT_MAX = 16 };
void names_argument(const char *call, unsigned argument, char ret_text[NAMES_ARGUMENT_MAX]);
/* The word for a value of that argument, else the number; level is argument 1 of setsockopt and
 * getsockopt, which says what the option means. Into ret_text. */
enum { NAMES_VALUE_MAX = 32 };
void names_value(const char *call, unsigned argument, uint64_t level, uint64_t value,
                 char ret_text[NAMES_VALUE_MAX]);

/* -1 where the word is not known. */
int names_find_error(const char *name);
/* NULL behind the last. */
const char *names_next_error(size_t index);
/* NULL where there is no word for it. */
const char *names_error(int number);
