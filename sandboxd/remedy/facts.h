/* facts: what this machine says about itself, as far as it decides whether sessions can be made. */
#pragma once

#include <stdbool.h>

/* Around the whole system that we see. */
enum remedy_container {
    CONTAINER_NONE,
    CONTAINER_DOCKER,
    CONTAINER_PODMAN,
    CONTAINER_KUBERNETES,
    CONTAINER_LXC,
    CONTAINER_OTHER,
};

/* One limit for each kind of namespace, user.max_NAME_namespaces. */
enum { FACTS_LIMITS = 7, FACTS_PROFILE_MAX = 64 };
extern const char *const facts_limit_names[FACTS_LIMITS];

/* Settings are -1 where the kernel does not know them. */
struct remedy_facts {
    long apparmor_restricts;         /* kernel.apparmor_restrict_unprivileged_userns: Ubuntu */
    long unprivileged_clone;         /* kernel.unprivileged_userns_clone: Debian */
    long limits[FACTS_LIMITS];       /* as in facts_limit_names */
    char profile[FACTS_PROFILE_MAX]; /* AppArmor profile; "" for none or unconfined */
    enum remedy_container container;
    bool filtered;          /* a system call filter is in force already */
    bool no_new_privileges; /* setuid programs such as newuidmap gain nothing */
    bool proc_covered;      /* something is mounted over parts of /proc */
    bool changed_root;      /* in a chroot */
    bool gvisor, wsl1;      /* kernels that are not Linux */
    bool systemd;
    unsigned kernel_major, kernel_minor;
};

/* Reads them below root_fd, the directory "/" or one that imitates it. What cannot be read counts
 * as absent. */
void facts_read(int root_fd, struct remedy_facts *ret_facts);
