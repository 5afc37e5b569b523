/* init: PID 1 of a session, the session shell.
 *
 * Holds the session's namespaces and its data directory open, runs no guest code and reads no file
 * that a guest wrote. Obeys the broker on one channel (kill every guest, keep descriptors for a
 * later front) and forks a file helper for each request of the front on another. Ends when the
 * broker goes, and everything in the session with it.
 */
#pragma once

#include "base/core/error.h"

/* Descriptors that the broker leaves open across the exec. */
enum { INIT_COMMAND_FD = 3, INIT_FILE_FD = 4 };

/* Builds the root, locks itself down and serves. Returns only on failure or when the broker is
 * gone. */
int init_run(struct error *err);
