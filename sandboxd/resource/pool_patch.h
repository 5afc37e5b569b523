/* pool_patch: JSON merge patch (RFC 7396) of a pool. */
#pragma once

#include "sandboxd/resource/pool_resource.h"

/* What PATCH with this body makes of the pool; errors as pool_read_text. The result has the pool's
 * own times. */
int pool_patch(const struct pool_resource *resource, const char *data, size_t length,
               struct pool_resource *ret_resource, struct error *err);
