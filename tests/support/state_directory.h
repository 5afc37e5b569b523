/* state_directory: a temporary directory of a test's own, as the state directory.
 */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/unit.h"

struct state_directory {
    char path[64];
    int fd;
};

static inline int state_directory_open(void **state)
{
    struct state_directory *directory = calloc(1, sizeof *directory);
    strcpy(directory->path, "/tmp/sandpool-test-XXXXXX");
    if (!mkdtemp(directory->path))
        return -1;
    directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = directory;
    return directory->fd < 0 ? -1 : 0;
}

static inline int state_directory_remove_entry(const char *path, const struct stat *info, int type,
                                               struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

static inline int state_directory_close(void **state)
{
    struct state_directory *directory = *state;
    close(directory->fd);
    int result = nftw(directory->path, state_directory_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(directory);
    return result;
}
