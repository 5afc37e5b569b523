#include "sandboxd/doctor/probes.h"

const struct probe probes[PROBES] = {
    {"kernel", probe_kernel, false},
    {"user", probe_user_namespace, false},
    {"ids", probe_ids, false},
    {"pid", probe_pid_namespace, false},
    {"mount", probe_mount_namespace, false},
    {"network", probe_network_namespace, false},
    {"ipc", probe_ipc_namespace, false},
    {"uts", probe_uts_namespace, false},
    {"cgroup-namespace", probe_cgroup_namespace, false},
    {"process-handles", probe_handles, false},
    {"join", probe_join, false},
    {"root", probe_root, false},
    {"procfs", probe_procfs, false},
    {"data-quota", probe_quota, false},
    {"capabilities", probe_capabilities, false},
    {"no-new-privileges", probe_no_new_privileges, false},
    {"not-dumpable", probe_not_dumpable, false},
    {"filter", probe_filter, false},
    {"landlock", probe_landlock, false},
    {"cgroup", probe_cgroups, false},
    {"filter-notification", probe_notification, true},
    {"tmpfs-idmap", probe_tmpfs_idmap, true},
    {"egress", probe_egress, true},
};

enum probe_need probe_need(const struct probe *probe, enum layer *ret_layer)
{
    if (probe->is_informative)
        return PROBE_INFORMATIVE;
    return layer_find(probe->name, ret_layer, NULL) == 0 ? PROBE_OPTIONAL : PROBE_MANDATORY;
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
