#include "base/core/state_path.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/core/cleanup.h"

const char *state_path_default(void)
{
    static char *path;
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (geteuid() == 0)
        return "/var/lib/sandpool";
    free(path);
    if (base && *base == '/') { /* others are ignored, as the XDG base directories want it */
        path = xasprintf("%s/sandpool", base);
        return path;
    }
    const struct passwd *account = home && *home ? NULL : getpwuid(getuid());
    path = xasprintf("%s/.local/state/sandpool", account ? account->pw_dir : home ? home : "");
    return path;
}
