/* api_settings: the choices of this daemon where the service's own behavior is unknown, has
 * changed, or differs from what a client needs.
 *
 * Read once at start from the configuration's object `api`. docs/operations.md, "Settings of the
 * API", explains each; the rules they change are in docs/api.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"
#include "sandboxd/api/dialect.h"

struct json_t;

/* Where a result value is always a string of the displayed text. */
enum result_text {
    RESULT_TEXT_2024_10, /* in that version only */
    RESULT_TEXT_ALWAYS,  /* in generation 2 */
    RESULT_TEXT_NEVER,
};

struct api_settings {
    bool strict_versions;  /* refuse versions that the service does not have */
    bool with_ids;         /* objects begin with "$id" */
    bool pool_full_is_404; /* instead of 429 */
    bool with_refusals;    /* answers tell what was refused */
    bool trusts_forwarded; /* X-Forwarded-Proto and X-Forwarded-Host are a proxy's word */
    enum result_text result_text;
    size_t stream_bytes_max; /* kept of stdout and stderr each */
};

void api_settings_set_defaults(struct api_settings *ret_settings);
/* object may be NULL: the defaults. ERROR_INVALID with the JSON path of the member at fault. */
int api_settings_read(struct json_t *object, const char *path, struct api_settings *ret_settings,
                      struct error *err);

/* The value of an answer of this generation and version is its text. */
bool api_settings_want_text(const struct api_settings *settings, enum wire_generation generation,
                            enum api_version version);
