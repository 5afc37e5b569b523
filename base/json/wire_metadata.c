#include "base/json/wire.h"
#include "base/json/writer.h"

static void write_components(struct writer *writer, const char *key,
                             const struct wire_component *components, size_t count)
{
    writer_open_array(writer, key);
    for (size_t i = 0; i < count; i++) {
        writer_open_object(writer, NULL);
        writer_string(writer, "name", components[i].name);
        writer_string(writer, "version", components[i].version);
        writer_close_object(writer);
    }
    writer_close_array(writer);
}

static void write_kernel(struct writer *writer, const struct wire_kernel *kernel)
{
    writer_open_object(writer, "jupyterKernel");
    writer_string(writer, "name", kernel->name);
    writer_string(writer, "version", kernel->version);
    writer_string(writer, "projectUrl", kernel->project_url);
    writer_string(writer, "description", kernel->description);
    writer_close_object(writer);
}

int wire_write_metadata(const struct wire_options *options, const struct wire_metadata *metadata,
                        struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, options->with_ids);
    writer_open_object(&writer, NULL);
    write_components(&writer, "runtimes", metadata->runtimes, metadata->runtime_count);
    write_components(&writer, "preInstalledPackages", metadata->packages, metadata->package_count);
    writer_time(&writer, "createdAt", metadata->created_ms * 1000);
    writer_time(&writer, "lastUpdatedAt", metadata->updated_ms * 1000);
    write_kernel(&writer, &metadata->kernel);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}
