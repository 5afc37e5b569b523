/* interpreter: CPython with the notebook shell, and the loop that runs cells.
 *
 * The only file that meets Python.h. The zygote starts and warms it once; a fork of it serves one
 * session. The guest can rewrite anything in this process: the front believes nothing but frames
 * that carry the nonce of the execution it asked for, within its own limits.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/core/buf.h"
#include "base/core/error.h"

/* Starts Python, executes the prelude, imports the modules and warms up. One thread afterwards. The
 * description of the image is appended to image; sandboxd/api/image.h has its form. */
int interpreter_start(char *const *modules, int count, struct buf *image, struct error *err);

/* Around a fork, so that Python's own locks are right on both sides. */
void interpreter_before_fork(void);
void interpreter_after_fork_parent(void);
/* In the child, after the lock-down: also reseeds what a fork copies. environment replaces what
 * there is, as NAME=VALUE with a NUL behind each and one more; NULL leaves it. audit: attempts to
 * reach hosts are told. */
int interpreter_after_fork_child(const char *environment, bool audit, struct error *err);

/* Announces itself with FRAME_READY and runs cells until the channel closes. */
_Noreturn void interpreter_serve(int channel_fd);
