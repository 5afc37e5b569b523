#include "sandboxd/resource/egress_reader.h"

#include <stdio.h>

#include "base/core/text.h"

int egress_read_status(json_t *properties, const char *path, struct pool_egress *egress,
                       struct error *err)
{
    json_t *network = NULL;
    const char *status = "EgressDisabled";
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "sessionNetworkConfiguration");
    if (json_get_object_optional(properties, path, "sessionNetworkConfiguration", &network, err) <
            0 ||
        json_get_text_optional(network, here, "status", &status, err) < 0)
        return -1;
    egress->enabled = text_equal_ignoring_case(status, "EgressEnabled");
    if (!egress->enabled && !text_equal_ignoring_case(status, "EgressDisabled"))
        return error_set(err, ERROR_INVALID,
                         "%s.status: is \"%.64s\"; write EgressEnabled or EgressDisabled", here,
                         status);
    return 0;
}

static int read_ranges(json_t *list, const char *path, struct pool_egress *egress,
                       struct error *err)
{
    size_t count = json_array_size(list);
    if (count == 0)
        return error_set(err, ERROR_INVALID,
                         "%s: is empty; leave it out for the public internet, or set "
                         "sessionNetworkConfiguration.status to EgressDisabled",
                         path);
    if (count > POOL_EGRESS_RANGES_MAX)
        return error_set(err, ERROR_LIMIT, "%s: has %zu ranges; %d is the most", path, count,
                         POOL_EGRESS_RANGES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct error why = {0};
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item))
            return error_set(err, ERROR_INVALID, "%s[%zu]: must be a text", path, i);
        if (address_range_read(json_string_value(item), &egress->ranges[i], &why) < 0)
            return error_set(err, why.code, "%s[%zu]: %s", path, i, why.message);
    }
    egress->range_count = (uint32_t)count;
    return 0;
}

int egress_read_settings(json_t *sandpool, const char *path, struct pool_egress *egress,
                         struct error *err)
{
    json_t *list = NULL;
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "egressAllow");
    if (json_get_array_optional(sandpool, path, "egressAllow", &list, err) < 0 ||
        json_get_boolean_optional(sandpool, path, "egressDns", &egress->names, err) < 0)
        return -1;
    if (!egress->enabled && (list || egress->names))
        return error_set(err, ERROR_INVALID,
                         "%s.%s: sessions of this pool have no network; set "
                         "properties.sessionNetworkConfiguration.status to EgressEnabled",
                         path, list ? "egressAllow" : "egressDns");
    return list ? read_ranges(list, here, egress, err) : 0;
}
