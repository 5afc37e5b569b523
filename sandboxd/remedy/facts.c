#include "sandboxd/remedy/facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

/* Tables of mounts are the longest, some hundred bytes for each. */
enum { FACTS_FILE_MAX = 1024 * 1024 };

const char *const facts_limit_names[FACTS_LIMITS] = {"user", "pid", "mnt",   "net",
                                                     "ipc",  "uts", "cgroup"};

/* "" when it cannot be read. */
static char *read_file(int root_fd, const char *path)
{
    AUTO_CLOSE int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = fd < 0 ? NULL : text_read_all(fd, FACTS_FILE_MAX, NULL, NULL);
    return text ? text : xstrdup("");
}

static bool exists(int root_fd, const char *path)
{
    return faccessat(root_fd, path, F_OK, 0) == 0;
}

static long read_number(int root_fd, const char *path)
{
    AUTO_FREE char *text = read_file(root_fd, path);
    char *end;
    long value = strtol(text, &end, 10);
    return end == text ? -1 : value;
}

static long status_field(const char *status, const char *name)
{
    const char *found = strstr(status, name);
    return found ? strtol(found + strlen(name), NULL, 10) : 0;
}

static enum remedy_container find_container(int root_fd)
{
    static const struct {
        const char *path;
        enum remedy_container container;
    } markers[] = {
        {"var/run/secrets/kubernetes.io", CONTAINER_KUBERNETES},
        {"run/.containerenv", CONTAINER_PODMAN},
        {".dockerenv", CONTAINER_DOCKER},
    };
    for (size_t i = 0; i < sizeof markers / sizeof *markers; i++) {
        if (exists(root_fd, markers[i].path))
            return markers[i].container;
    }
    AUTO_FREE char *manager = read_file(root_fd, "run/systemd/container");
    if (text_starts_with(manager, "lxc"))
        return CONTAINER_LXC;
    return *manager ? CONTAINER_OTHER : CONTAINER_NONE;
}

/* Lines of mountinfo(5) are "36 35 98:0 ROOT POINT options - ...". */
static void look_at_mounts(const char *mounts, struct remedy_facts *facts)
{
    bool has_root = false;
    for (const char *line = mounts; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char point[16] = "";
        if (sscanf(line, "%*s %*s %*s %*s %15s", point) != 1)
            continue;
        has_root = has_root || strcmp(point, "/") == 0;
        /* Formats of foreign programs are mounted there too, on nearly every machine, and hide
         * nothing. */
        if (text_starts_with(point, "/proc/") && !strstr(line, " - autofs ") &&
            !strstr(line, " - binfmt_misc ") && !text_starts_with(point, "/proc/fs/nfsd"))
            facts->proc_covered = true;
    }
    facts->changed_root = *mounts && !has_root;
}

static void look_at_kernel(int root_fd, struct remedy_facts *facts)
{
    AUTO_FREE char *release = read_file(root_fd, "proc/sys/kernel/osrelease");
    AUTO_FREE char *version = read_file(root_fd, "proc/version");
    sscanf(release, "%u.%u", &facts->kernel_major, &facts->kernel_minor);
    /* The one date that gVisor has always given. */
    facts->gvisor = strcasestr(version, "gvisor") || strstr(version, "Jan 10 15:06:54 PST 2016");
    /* The second version of WSL has a kernel of Linux, "microsoft-standard". */
    facts->wsl1 = strstr(version, "Microsoft") && !strstr(version, "microsoft-standard");
}

static void look_at_profile(int root_fd, struct remedy_facts *facts)
{
    AUTO_FREE char *profile = read_file(root_fd, "proc/self/attr/apparmor/current");
    profile[strcspn(profile, " \n")] = '\0'; /* "docker-default (enforce)" */
    if (strcmp(profile, "unconfined") != 0)
        snprintf(facts->profile, sizeof facts->profile, "%s", profile);
}

void facts_read(int root_fd, struct remedy_facts *ret_facts)
{
    struct remedy_facts facts = {
        .apparmor_restricts =
            read_number(root_fd, "proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
        .unprivileged_clone = read_number(root_fd, "proc/sys/kernel/unprivileged_userns_clone"),
        .container = find_container(root_fd),
        .systemd = exists(root_fd, "run/systemd/system"),
    };
    for (int i = 0; i < FACTS_LIMITS; i++) {
        char path[64];
        snprintf(path, sizeof path, "proc/sys/user/max_%s_namespaces", facts_limit_names[i]);
        facts.limits[i] = read_number(root_fd, path);
    }
    AUTO_FREE char *status = read_file(root_fd, "proc/self/status");
    facts.filtered = status_field(status, "\nSeccomp:") != 0;
    facts.no_new_privileges = status_field(status, "\nNoNewPrivs:") != 0;
    AUTO_FREE char *mounts = read_file(root_fd, "proc/self/mountinfo");
    look_at_mounts(mounts, &facts);
    look_at_kernel(root_fd, &facts);
    look_at_profile(root_fd, &facts);
    *ret_facts = facts;
}
