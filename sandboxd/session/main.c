/* sandboxd-session MISSING-LAYERS: PID 1 of one session. Started by the broker only, with the
 * descriptors of init.h. */
#include <fcntl.h>

#include "base/core/layer.h"
#include "base/core/log.h"
#include "sandboxd/session/init.h"

int main(int argc, char **argv)
{
    log_set_process("session");
    struct error err = {0};
    if (argc != 2 || layers_from_argument(argv[1], &err) < 0 ||
        fcntl(INIT_COMMAND_FD, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(INIT_FILE_FD, F_SETFD, FD_CLOEXEC) < 0) {
        log_error("session.refused", "message=\"started by hand; start sandboxd instead\"");
        return 1;
    }
    return init_run(&err) < 0 ? 1 : 0;
}
