/* sandboxd-worker MISSING-LAYERS MODULE...: the zygote of one session image, and what it imports
 * ahead. Started by the broker only. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/core/layer.h"
#include "base/core/log.h"
#include "sandboxd/worker/zygote.h"

int main(int argc, char **argv)
{
    log_set_process("zygote");
    struct error err = {0};
    if (argc < 2 || layers_from_argument(argv[1], &err) < 0 ||
        fcntl(ZYGOTE_BROKER_FD, F_SETFD, FD_CLOEXEC) < 0) {
        log_error("zygote.refused", "message=\"started by hand; start sandboxd instead\"");
        return 1;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (zygote_run(argv + 2, argc - 2, &err) == 0)
        return 0;
    log_error("zygote.failed", "message=\"%s\"", err.message);
    return 1;
}
