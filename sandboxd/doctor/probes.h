/* probes: everything that a session is isolated by, and how to find out whether it is there.
 *
 * A probe goes through a whole sequence as the daemon does: some kernels let the first step succeed
 * and refuse a later one.
 */
#pragma once

#include <stddef.h>

#include "base/core/layer.h"
#include "sandboxd/doctor/outer.h"

enum probe_need {
    PROBE_MANDATORY,   /* sandboxd does not start without it */
    PROBE_OPTIONAL,    /* it does where --allow-missing says so */
    PROBE_INFORMATIVE, /* nothing depends on it */
};

struct probe {
    const char *name; /* of the layer, as --allow-missing has it; programs look for it */
    child_act act;    /* its argument is the struct outer */
    bool is_informative;
};

extern const struct probe probes[];
enum { PROBES = 23 };

/* What is needed is told by the layers that may be missing: base/core/layer.h. *ret_layer is set
 * for optional ones. */
enum probe_need probe_need(const struct probe *probe, enum layer *ret_layer);

/* Runs a probe in a process of its own. Never fails: the finding says all. */
void probe_run(const struct probe *probe, const struct outer *outer, struct finding *ret_finding);

int probe_kernel(const void *outer, struct finding *finding, struct error *err);
int probe_ids(const void *outer, struct finding *finding, struct error *err);
int probe_user_namespace(const void *outer, struct finding *finding, struct error *err);
int probe_pid_namespace(const void *outer, struct finding *finding, struct error *err);
int probe_mount_namespace(const void *outer, struct finding *finding, struct error *err);
int probe_network_namespace(const void *outer, struct finding *finding, struct error *err);
int probe_egress(const void *outer, struct finding *finding, struct error *err);
int probe_ipc_namespace(const void *outer, struct finding *finding, struct error *err);
int probe_uts_namespace(const void *outer, struct finding *finding, struct error *err);
int probe_cgroup_namespace(const void *outer, struct finding *finding, struct error *err);
int probe_handles(const void *outer, struct finding *finding, struct error *err);
int probe_join(const void *outer, struct finding *finding, struct error *err);
int probe_root(const void *outer, struct finding *finding, struct error *err);
int probe_procfs(const void *outer, struct finding *finding, struct error *err);
int probe_quota(const void *outer, struct finding *finding, struct error *err);
int probe_tmpfs_idmap(const void *outer, struct finding *finding, struct error *err);
int probe_capabilities(const void *outer, struct finding *finding, struct error *err);
int probe_no_new_privileges(const void *outer, struct finding *finding, struct error *err);
int probe_not_dumpable(const void *outer, struct finding *finding, struct error *err);
int probe_filter(const void *outer, struct finding *finding, struct error *err);
int probe_notification(const void *outer, struct finding *finding, struct error *err);
int probe_landlock(const void *outer, struct finding *finding, struct error *err);
int probe_cgroups(const void *outer, struct finding *finding, struct error *err);
