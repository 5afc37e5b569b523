#include "sandboxd/api/image.h"
#include "tests/fuzz/fuzz.h"

/* Every line becomes one thing, and its parts follow each other as they were. */
static void check_rewritten(const struct image *image, const char *text, size_t size)
{
    const struct wire_component *runtime = image->runtimes, *package = image->packages;
    const char *at = text;
    while (at < text + size) {
        char line[IMAGE_BYTES_MAX + 1];
        const struct wire_kernel *kernel = &image->kernel;
        if (*at == 'k')
            snprintf(line, sizeof line, "kernel\t%s\t%s\t%s\t%s\n", kernel->name, kernel->version,
                     kernel->project_url, kernel->description);
        else if (*at == 'r')
            snprintf(line, sizeof line, "runtime\t%s\t%s\n", runtime->name, runtime->version);
        else
            snprintf(line, sizeof line, "package\t%s\t%s\n", package->name, package->version);
        runtime += *at == 'r';
        package += *at == 'p';
        CHECK(strlen(line) <= (size_t)(text + size - at) && memcmp(at, line, strlen(line)) == 0);
        at += strlen(line);
    }
    CHECK(runtime == image->runtimes + image->runtime_count);
    CHECK(package == image->packages + image->package_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image image;
    struct error err = {0};
    if (image_read(data, size, &image, &err) < 0) {
        CHECK(err.code == ERROR_INVALID || err.code == ERROR_LIMIT);
        return 0;
    }
    check_rewritten(&image, (const char *)data, size);
    image_clear(&image);
    return 0;
}
