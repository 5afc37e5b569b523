/* dialect: which shape of the API a request speaks.
 *
 * The path decides first, then api-version (docs/api.md, "Versions"). Versions are read leniently,
 * where any YYYY-MM-DD with or without "-preview" means the newest one known that is not newer, or
 * strictly, where only the service's own are versions.
 */
#pragma once

#include <stdbool.h>

#include "base/core/error.h"
#include "base/json/wire.h"

enum api_version {
    API_2024_02_02, /* generation 1; what generation 0 counts as */
    API_2024_08_02,
    API_2024_10_02, /* generation 2 */
    API_2025_02_02,
    API_2025_10_02,
};

/* The value of the api-supported-versions header. */
extern const char dialect_supported_versions[];
extern const char dialect_supported_arm_versions[];

int dialect_read_version(const char *text, bool strict, enum api_version *ret_version,
                         struct error *err);
/* As clients write it; static. */
const char *dialect_version_name(enum api_version version);
enum wire_generation dialect_generation(enum api_version version);
