/* kept: members of a pool document that change nothing here and are given back as they came.
 *
 * Each reader checks the shape, names the member at fault, and returns its JSON text, NULL where it
 * is absent or null.
 */
#pragma once

#include "base/json/json.h"

/* returned */
char *kept_text(json_t *value);

/* Names and values are strings. */
int kept_read_tags(json_t *document, const char *path, char **ret_text, struct error *err);
/* {"type": ..., "userAssignedIdentities": {id: {}}} */
int kept_read_identity(json_t *document, const char *path, char **ret_text, struct error *err);
/* [{"identity": ..., "lifecycle": ...}] */
int kept_read_managed_identities(json_t *properties, const char *path, char **ret_text,
                                 struct error *err);
/* [{"name": ..., "value": ...}]: values are not kept. */
int kept_read_secrets(json_t *properties, const char *path, char **ret_text, struct error *err);
