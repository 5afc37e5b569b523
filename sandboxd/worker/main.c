/* sandboxd-worker: the zygote of one session image. Started by the broker only; arguments: modules
 * to import ahead. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/core/log.h"
#include "sandboxd/worker/zygote.h"

int main(int argc, char **argv)
{
    log_set_process("zygote");
    struct error err = {0};
    if (fcntl(ZYGOTE_BROKER_FD, F_SETFD, FD_CLOEXEC) < 0) {
        log_error("zygote.refused", "message=\"started by hand; start sandboxd instead\"");
        return 1;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (zygote_run(argv + 1, argc - 1, &err) == 0)
        return 0;
    log_error("zygote.failed", "message=\"%s\"", err.message);
    return 1;
}
