/* bundle: "ca-bundle.pem": the machine's own authorities and the daemon's.
 *
 * For programs that know one file of trusted authorities and would otherwise lose the rest of the
 * world: Python's requests, OpenSSL.
 */
#pragma once

#include "base/core/error.h"

#define BUNDLE_FILE "ca-bundle.pem"

/* Writes the file when it is missing or older than what it is made of. system_path may name a file
 * that is not there: the bundle then holds the daemon's authority only. */
int bundle_refresh(int state_fd, const char *system_path, struct error *err);
