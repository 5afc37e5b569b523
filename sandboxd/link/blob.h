/* blob: what a front needs to know of a session that an earlier front started.
 *
 * The broker keeps these bytes for each session and never looks inside. One line of text each:
 * version, the pool's key, GUID, the session's record (order, created at, used at), identifier
 * (empty: a ready instance). Times are those of the machine's monotonic clock, which both fronts
 * share.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"
#include "base/core/identifier.h"
#include "base/core/random.h"
#include "sandboxd/control/message.h"
#include "sandboxd/pool/pool.h"

struct blob {
    char pool[POOL_KEY_MAX + 1];
    char guid[GUID_TEXT_MAX];
    struct session_record record;
    char identifier[IDENTIFIER_LENGTH_MAX + 1];
};

size_t blob_write(const struct blob *blob, char ret_data[SESSION_BLOB_MAX]);
/* ERROR_INVALID for bytes that blob_write did not make. */
int blob_read(const void *data, size_t length, struct blob *ret_blob, struct error *err);
