/* execution_resource: an execution as clients read it, in the dialect of who asks. */
#pragma once

#include "base/core/buf.h"
#include "base/core/error.h"

struct exchange;
struct execution;

/* Appends the JSON to body: without a result while it is not over. */
int execution_resource_write(const struct execution *execution, const struct exchange *exchange,
                             struct buf *body, struct error *err);
