#include "sandboxd/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/without.h"

/* What the headers of older systems lack. */
struct ruleset {
    uint64_t files, network, scopes;
};
static const uint64_t TRUNCATE = 1 << 14, IOCTL_DEV = 1 << 15, SCOPES = 3;
/* A guest must not fill the machine's audit log with what it is refused. */
static const unsigned LOG_NOTHING = 1 << 0 | 1 << 2;

/* What can be said of a file that is no directory. */
static const uint64_t FILE_RIGHTS =
    LANDLOCK_EXECUTE | LANDLOCK_WRITE | LANDLOCK_ACCESS_FS_READ_FILE;

int landlock_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Every right that this version knows. */
static uint64_t known_rights(int version)
{
    uint64_t rights = LANDLOCK_ACCESS_FS_REFER - 1;
    if (version >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        rights |= TRUNCATE;
    if (version >= 5)
        rights |= IOCTL_DEV;
    return rights;
}

static int add_rule(int ruleset_fd, const struct landlock_rule *rule, uint64_t known,
                    struct error *err)
{
    struct stat st;
    AUTO_CLOSE int fd = open(rule->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_from_errno(err, "open %s", rule->path);
    struct landlock_path_beneath_attr attr = {
        .allowed_access = rule->access & (S_ISDIR(st.st_mode) ? known : known & FILE_RIGHTS),
        .parent_fd = fd,
    };
    if (syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) < 0)
        return error_from_errno(err, "Landlock rule for %s", rule->path);
    return 0;
}

int landlock_restrict(const struct landlock_rules *rules, bool isolated, struct error *err)
{
    if (layer_is_missing(LAYER_LANDLOCK) || !LAYER("landlock"))
        return 0;
    int version = landlock_version();
    struct ruleset attr = {
        .files = known_rights(version),
        .scopes = LAYER("landlock-scopes") && isolated && version >= 6 ? SCOPES : 0,
    };
    AUTO_CLOSE int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (fd < 0)
        return error_from_errno(err, "make a Landlock ruleset");
    for (size_t i = 0; i < rules->count; i++) {
        if (add_rule(fd, &rules->rules[i], attr.files, err) < 0)
            return -1;
    }
    if ((LAYER("no-new-privileges") && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) ||
        syscall(SYS_landlock_restrict_self, fd, version >= 7 ? LOG_NOTHING : 0) < 0)
        return error_from_errno(err, "enter the Landlock ruleset");
    return 0;
}

/* Landlock is asked before capabilities, which would say EPERM; the name is nobody's. */
int landlock_require(const char *directory, struct error *err)
{
    char path[2 * LANDLOCK_PATH_MAX];
    uint64_t name;
    if (layer_is_missing(LAYER_LANDLOCK) || !LAYER("landlock"))
        return 0;
    if (getrandom(&name, sizeof name, 0) != sizeof name)
        return error_from_errno(err, "getrandom");
    snprintf(path, sizeof path, "%s/%016" PRIx64, directory, name);
    if (mknod(path, S_IFCHR, makedev(1, 3)) == 0 || errno != EACCES)
        return error_set(err, ERROR_DENIED, "Landlock does not hold");
    return 0;
}
