#include "sandboxd/api/dialect.h"

#include <string.h>

const char dialect_supported_versions[] =
    "2024-02-02-preview, 2024-08-02-preview, 2024-10-02-preview, 2025-02-02-preview, "
    "2025-10-02-preview";

const char dialect_supported_arm_versions[] =
    "2023-08-01-preview, 2023-11-02-preview, 2024-02-02-preview, 2024-08-02-preview, "
    "2024-10-02-preview, 2025-01-01, 2025-02-02-preview, 2025-07-01, 2025-10-02-preview, "
    "2026-01-01, 2026-07-01";

enum { DATE_LENGTH = 10 };

static const struct {
    const char *name; /* begins with its date */
    enum api_version version;
} versions[] = {
    {"2025-10-02-preview", API_2025_10_02}, {"2025-02-02-preview", API_2025_02_02},
    {"2024-10-02-preview", API_2024_10_02}, {"2024-08-02-preview", API_2024_08_02},
    {"2024-02-02-preview", API_2024_02_02},
};

static bool is_version(const char *text)
{
    static const char shape[] = "dddd-dd-dd";
    for (int i = 0; i < DATE_LENGTH; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == 'd' ? !digit : text[i] != shape[i])
            return false;
    }
    return text[DATE_LENGTH] == '\0' || strcmp(text + DATE_LENGTH, "-preview") == 0;
}

int dialect_read_version(const char *text, bool strict, enum api_version *ret_version,
                         struct error *err)
{
    if (!is_version(text))
        return error_set(err, ERROR_INVALID,
                         "api-version must be a date such as 2025-10-02-preview");
    size_t i = 0, last = sizeof versions / sizeof *versions - 1;
    while (i < last && strncmp(text, versions[i].name, DATE_LENGTH) < 0)
        i++;
    if (strict && strcmp(text, versions[i].name) != 0)
        return error_set(err, ERROR_INVALID, "api-version must be one of %s",
                         dialect_supported_versions);
    *ret_version = versions[i].version;
    return 0;
}

const char *dialect_version_name(enum api_version version)
{
    size_t i = 0;
    while (versions[i].version != version)
        i++;
    return versions[i].name;
}

enum wire_generation dialect_generation(enum api_version version)
{
    return version >= API_2024_10_02 ? WIRE_GENERATION_2 : WIRE_GENERATION_1;
}
