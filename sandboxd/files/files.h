/* files: the file helper, one short-lived process for each request of the files API.
 *
 * Runs in: a fork of PID 1 of a session, behind a lock-down that PID 1's own code has made and
 * checked (session/init.c): no capability, the guest's own view of files, a filter of its own.
 * Resolves one path below the data directory without following any link, answers, and ends. What a
 * guest planted (links, FIFOs, devices, sockets, hard links) can neither block it nor lead it out.
 */
#pragma once

#include "sandboxd/control/channel.h"

/* Never returns. Answers FRAME_FILE_ENTRY frames and one FRAME_FILE_DONE on channel_fd. data_fd: an
 * O_PATH descriptor of the data directory. */
_Noreturn void files_serve(int data_fd, int channel_fd, struct channel_message *request);
