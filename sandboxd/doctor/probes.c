#include "sandboxd/doctor/probes.h"

const struct probe probes[PROBES] = {
    {"kernel", PROBE_MANDATORY, probe_kernel, LAYERS_MAX},
    {"user", PROBE_MANDATORY, probe_user_namespace, LAYERS_MAX},
    {"ids", PROBE_IMPROVING, probe_ids, LAYERS_MAX},
    {"pid", PROBE_MANDATORY, probe_pid_namespace, LAYERS_MAX},
    {"mount", PROBE_MANDATORY, probe_mount_namespace, LAYERS_MAX},
    {"network", PROBE_MANDATORY, probe_network_namespace, LAYERS_MAX},
    {"ipc", PROBE_MANDATORY, probe_ipc_namespace, LAYERS_MAX},
    {"uts", PROBE_OPTIONAL, probe_uts_namespace, LAYER_UTS},
    {"cgroup-namespace", PROBE_OPTIONAL, probe_cgroup_namespace, LAYER_CGROUP_NAMESPACE},
    {"process-handles", PROBE_MANDATORY, probe_handles, LAYERS_MAX},
    {"join", PROBE_MANDATORY, probe_join, LAYERS_MAX},
    {"root", PROBE_MANDATORY, probe_root, LAYERS_MAX},
    {"procfs", PROBE_MANDATORY, probe_procfs, LAYERS_MAX},
    {"data-quota", PROBE_MANDATORY, probe_quota, LAYERS_MAX},
    {"capabilities", PROBE_MANDATORY, probe_capabilities, LAYERS_MAX},
    {"no-new-privileges", PROBE_MANDATORY, probe_no_new_privileges, LAYERS_MAX},
    {"not-dumpable", PROBE_MANDATORY, probe_not_dumpable, LAYERS_MAX},
    {"filter", PROBE_MANDATORY, probe_filter, LAYERS_MAX},
    {"landlock", PROBE_OPTIONAL, probe_landlock, LAYER_LANDLOCK},
    {"cgroup", PROBE_OPTIONAL, probe_cgroups, LAYER_CGROUP},
    {"filter-notification", PROBE_INFORMATIVE, probe_notification, LAYERS_MAX},
    {"tmpfs-idmap", PROBE_INFORMATIVE, probe_tmpfs_idmap, LAYERS_MAX},
};

const char *probe_need_word(enum probe_need need)
{
    static const char *const words[] = {
        [PROBE_MANDATORY] = "mandatory",
        [PROBE_OPTIONAL] = "optional",
        [PROBE_IMPROVING] = "optional",
        [PROBE_INFORMATIVE] = "informative",
    };
    return words[need];
}

void probe_run(const struct probe *probe, const struct outer *outer, struct finding *ret_finding)
{
    struct finding finding = {.state = FINDING_PRESENT};
    struct error err = {0};
    if (child_run(NULL, probe->act, outer, &finding, &err) < 0) {
        finding.state = FINDING_ABSENT;
        finding.number = err.number;
        finding_describe(&finding, "%s", err.message);
    }
    *ret_finding = finding;
}
