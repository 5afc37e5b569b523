/* wire_refusal: the member `sandpool` of an answer to an execution; inside this folder only. */
#pragma once

#include "base/json/json.h"
#include "base/json/wire.h"
#include "base/json/writer.h"

/* Nothing when count is 0. */
void wire_refusals_write(struct writer *writer, const struct wire_refusal *refusals, size_t count);
/* None when there is no such member. Kinds of a later time are left out. */
int wire_refusals_read(json_t *answer, struct wire_refusal **ret_refusals, size_t *ret_count,
                       struct error *err);
