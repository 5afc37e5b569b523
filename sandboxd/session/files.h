/* files: the file helper, one short-lived process for each request of the files API.
 *
 * A fork of PID 1 that gives up everything but the guest's own view of files, resolves one path
 * below the data directory without following any link, answers, and ends. What a guest planted
 * (links, FIFOs, devices, sockets, hard links) can neither block it nor lead it out.
 */
#pragma once

#include <stdint.h>

#include "sandboxd/control/channel.h"
#include "sandboxd/sandbox/seccomp.h"

struct files {
    int data_fd; /* O_PATH descriptor of the data directory */
    struct seccomp_filter filter;
};

/* Never returns. Answers FRAME_FILE_ENTRY frames and one FRAME_FILE_DONE on channel_fd. */
_Noreturn void files_serve(const struct files *files, int channel_fd,
                           struct channel_message *request);

/* FRAME_FILE_DONE with an error, for requests that no helper answered. */
void files_answer_error(int channel_fd, uint64_t request, int error_number, const char *text);
