/* replay: runs a fuzz target on every file of a corpus directory, with any compiler. */
#include <dirent.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_BYTES_MAX = 1024 * 1024 };

static void run_file(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    CHECK(file);
    /* Exactly as large as the input, so that a sanitizer sees a read behind its end. */
    static uint8_t input[INPUT_BYTES_MAX];
    size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    uint8_t *copy = malloc(size ? size : 1);
    CHECK(copy);
    memcpy(copy, input, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    DIR *directory = opendir(argv[1]);
    CHECK(directory);
    unsigned files = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        run_file(argv[1], entry->d_name);
        files++;
    }
    closedir(directory);
    CHECK(files > 0);
    printf("%u inputs\n", files);
    return 0;
}
