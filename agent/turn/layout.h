/* layout: JSON text over several lines, as Python's json.dumps(value, indent=2) has it. Numbers and
 * strings stay byte for byte. Pure.
 */
#pragma once

#include "base/core/buf.h"

/* json is strict JSON. level is how deep it stands inside what surrounds it. */
void layout_indent(const char *json, unsigned level, struct buf *out);
