/* inherit: the descriptors and arguments that launch leaves to the broker across the exec.
 *
 * Everything that needs the machine's root is opened by launch; the broker finds it here and opens
 * nothing by name afterwards but /proc files of its own children.
 */
#pragma once

enum inherit_fd {
    INHERIT_LISTEN_FD = 3,   /* the listening sockets */
    INHERIT_LISTEN_HTTPS_FD, /* or /dev/null, as the next three */
    INHERIT_CONFIG_FD,       /* the configuration */
    INHERIT_CERTIFICATE_FD,  /* the user's own certificate */
    INHERIT_CERTIFICATE_KEY_FD,
    INHERIT_STATE_FD,      /* the state directory */
    INHERIT_POLICY_FD,     /* the directory of our policies */
    INHERIT_OWN_POLICY_FD, /* the user's own, or /dev/null */
    INHERIT_IMAGE_FD,
    INHERIT_FRONT_FD, /* executables */
    INHERIT_SESSION_FD,
    INHERIT_WORKER_FD,
    INHERIT_EGRESS_FD,
    INHERIT_JANITOR_FD, /* write end of a pipe: the janitor acts when it closes */
    INHERIT_ID_LOCK_FD, /* holds the range of ids while the daemon lives */
    INHERIT_CGROUP_FD,  /* v2: one directory; v1: memory, pids, cpu */
    INHERIT_END_FD = INHERIT_CGROUP_FD + 3,
};

/* sandboxd-broker CGROUP_VERSION IDS ZYGOTE_SESSIONS ARGUMENT...: version 0 where that layer is
 * missing; ids that the outer user namespace knows; interpreters that one zygote is forked into
 * before it is replaced. Everything from the fourth on is for the front. */
enum inherit_argument {
    INHERIT_CGROUP_ARGUMENT = 1,
    INHERIT_IDS_ARGUMENT,
    INHERIT_ZYGOTE_ARGUMENT,
    INHERIT_FRONT_ARGUMENTS,
};

/* sandboxd-front MISSING-LAYERS POLICIES HTTP-ADDRESS HTTPS-ADDRESS AUTH NO-EGRESS HOST...: the
 * names of the policies for sessions, which the broker knows; the addresses as texts, the second ""
 * where there is no such listener; further names by which clients may reach the daemon. */
enum inherit_front_argument {
    FRONT_MISSING_ARGUMENT = 1, /* base/core/layer.h */
    FRONT_POLICIES_ARGUMENT,
    FRONT_HTTP_ARGUMENT,
    FRONT_HTTPS_ARGUMENT,
    FRONT_AUTH_ARGUMENT,
    FRONT_NO_EGRESS_ARGUMENT, /* why sessions can have no network, or "" */
    FRONT_HOST_ARGUMENTS,
    FRONT_HOSTS_MAX = 32,
};

/* Descriptors of the front, in the order of enum inherit_fd. Those that the user has not asked for
 * are /dev/null. */
enum inherit_front_fd {
    FRONT_BROKER_FD = 3,
    FRONT_LISTEN_FD,
    FRONT_LISTEN_HTTPS_FD,
    FRONT_CONFIG_FD,
    FRONT_CERTIFICATE_FD,
    FRONT_CERTIFICATE_KEY_FD,
    FRONT_FILTER_FD, /* its own system-call filter, compiled */
    FRONT_STATE_FD,
    FRONT_END_FD,
};

/* Ids inside the outer user namespace. */
enum inherit_id {
    OUTER_ROOT_ID = 0,
    OUTER_FRONT_ID = 1,
    OUTER_EGRESS_ID = 2,
    OUTER_FIRST_SESSION_ID = 16,
    OUTER_IDS_PER_SESSION = 2,
};
