/* json: Jansson with limits and with errors that say where.
 *
 * The only users of jansson.h outside this folder are readers of configuration and policy, who take
 * the typed getters below. Every getter's error names the JSON path: `pools[0].sandpool.dataBytes:
 * must be an integer from 1 to 9007199254740991`.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/core/error.h"
#include "base/json/scan.h"

static inline void cleanup_json(json_t **value)
{
    json_decref(*value);
}
#define AUTO_JSON __attribute__((cleanup(cleanup_json)))

/* Largest JSON body: code included (our limit; docs/api.md, "Limits"). */
enum { JSON_BYTES_MAX = 16 * 1024 * 1024 };

/* Most values in one text: a listing of a full data directory has some 160,000. Parsed values take
 * far more memory than their text (our limit). */
enum { JSON_VALUES_MAX = 256 * 1024 };

/* Integers up to here are held exactly by every JSON reader. */
#define JSON_INTEGER_MAX ((INT64_C(1) << 53) - 1)

/* Parses text of an untrusted peer, an object or an array: a byte order mark is skipped, duplicate
 * keys, NULs (raw or \u0000), lone surrogates, depth over JSON_DEPTH_MAX and trailing bytes are
 * ERROR_INVALID with the line and column; more than limit_bytes or JSON_VALUES_MAX is ERROR_LIMIT.
 * The value is returned. */
int json_parse(const char *data, size_t length, size_t limit_bytes, json_t **ret_value,
               struct error *err);
/* The same, but strings may hold \u0000, as a program's output does: read those with
 * json_string_length. */
int json_parse_with_nuls(const char *data, size_t length, size_t limit_bytes, json_t **ret_value,
                         struct error *err);

/* "pools[0]" and "sandpool" become "pools[0].sandpool", "" and "sandpool" become "sandpool". The
 * path is for messages and is cut where it is too long. */
enum { JSON_PATH_TEXT_MAX = 160 };
void json_join_path(char ret_path[JSON_PATH_TEXT_MAX], const char *path, const char *key);

/* Getters. `path` is the JSON path of `object` for messages ("" at the top). The member may be
 * absent or null: the _optional forms then leave *ret_value alone and return 0; the others fail
 * with ERROR_INVALID. */
int json_get_text(json_t *object, const char *path, const char *key, const char **ret_value,
                  struct error *err);
int json_get_text_optional(json_t *object, const char *path, const char *key,
                           const char **ret_value, struct error *err);
/* Integers within [least, most]; a string of digits is accepted too (`"300"`), as the service does.
 */
int json_get_integer(json_t *object, const char *path, const char *key, int64_t least, int64_t most,
                     int64_t *ret_value, struct error *err);
int json_get_integer_optional(json_t *object, const char *path, const char *key, int64_t least,
                              int64_t most, int64_t *ret_value, struct error *err);
int json_get_boolean_optional(json_t *object, const char *path, const char *key, bool *ret_value,
                              struct error *err);
/* Borrowed; NULL where absent or null (not an error). ERROR_INVALID when it is something else. */
int json_get_object_optional(json_t *object, const char *path, const char *key, json_t **ret_value,
                             struct error *err);
int json_get_array_optional(json_t *object, const char *path, const char *key, json_t **ret_value,
                            struct error *err);
/* ERROR_INVALID naming the first member that is not in the NULL-terminated list, and the list. */
int json_refuse_unknown(json_t *object, const char *path, const char *const *known,
                        struct error *err);
/* Finds a member whatever its case (the service's documents write coolDownPeriodInSeconds too);
 * borrowed, NULL where absent. */
json_t *json_get_any_case(json_t *object, const char *key);
