#include "base/core/layer.h"

#include <stdio.h>
#include <string.h>

#include "base/core/log.h"
#include "base/core/text.h"

static const char *const names[LAYERS_MAX] = {
    [LAYER_CGROUP] = "cgroup", [LAYER_LANDLOCK] = "landlock",
    [LAYER_UTS] = "uts",       [LAYER_CGROUP_NAMESPACE] = "cgroup-namespace",
    [LAYER_IDS] = "ids",
};

/* What a daemon without it does not promise: docs/operations.md, "Layers that may be missing". */
static const char *const losses[LAYERS_MAX] = {
    [LAYER_CGROUP] = "cpuPercent does not hold, and one session can take the memory of the machine",
    [LAYER_LANDLOCK] = "nothing stands beneath the system call filter and the mount namespace",
    [LAYER_UTS] = "sessions see the host name of the machine",
    [LAYER_CGROUP_NAMESPACE] = "sessions see the names of their cgroups",
    [LAYER_IDS] =
        "every process of the daemon and of its sessions has the id and groups of its user",
};

static uint32_t missing;

const char *layer_name(enum layer layer)
{
    return names[layer];
}

int layer_find(const char *name, enum layer *ret_layer, struct error *err)
{
    char known[128] = "";
    for (int i = 0; i < LAYERS_MAX; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_layer = (enum layer)i;
            return 0;
        }
        size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    return error_set(err, ERROR_INVALID, "%.64s is no layer that may be missing; those are %s",
                     name, known);
}

int layer_allow(const char *name, uint32_t *allowed, struct error *err)
{
    enum layer layer;
    if (layer_find(name, &layer, err) < 0)
        return error_add_context(err, "--allow-missing");
    *allowed |= 1U << layer;
    return 0;
}

int layer_miss(enum layer layer, uint32_t allowed, const char *why, struct error *err)
{
    const char *name = names[layer];
    char reason[ERROR_MESSAGE_MAX]; /* `why` may be the message of err */
    snprintf(reason, sizeof reason, "%s", why);
    if (!(allowed & 1U << layer))
        return error_set(err, ERROR_DENIED, "the layer \"%s\" is missing: %s", name, reason);
    log_warning("layer.missing", "layer=%s why=\"%s\" without=\"%s\"", name, reason, losses[layer]);
    missing |= 1U << layer;
    return 0;
}

bool layer_is_missing(enum layer layer)
{
    return layer < LAYERS_MAX && missing & 1U << layer;
}

const char *layers_to_argument(void)
{
    static char text[16];
    snprintf(text, sizeof text, "%u", missing);
    return text;
}

int layers_from_argument(const char *text, struct error *err)
{
    uint64_t value;
    if (!text || !text_parse_u64(text, &value) || value >> LAYERS_MAX != 0)
        return error_set(err, ERROR_INVALID,
                         "the first argument must say which layers are missing");
    missing = (uint32_t)value;
    return 0;
}
