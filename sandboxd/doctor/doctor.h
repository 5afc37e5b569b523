/* doctor: which layers of the isolation this machine has, and what to do about the others.
 *
 * Runs in: sandboxd-admin, as root or as an ordinary user. Changes nothing: what it tries, it
 * tries in processes, namespaces and cgroups of its own that end with it.
 */
#pragma once

/* Takes the arguments from its own name on and returns the exit status: enum report_verdict, or
 * that of a usage error. */
int doctor_run(int argc, char **argv);
