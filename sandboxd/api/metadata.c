#include "sandboxd/api/metadata.h"

#include "base/json/wire.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"

void metadata_show(struct exchange *exchange)
{
    const struct front *front = exchange->front;
    const struct image *image = &front->image;
    const struct pool_resource *resource = &front_pool_of(exchange->pool)->resource;
    if (!image->text) {
        exchange_fail(exchange, SERVICE_UNAVAILABLE, NULL, "the first interpreter is being made");
        return;
    }
    struct wire_metadata metadata = {
        .runtimes = image->runtimes,
        .runtime_count = image->runtime_count,
        .packages = image->packages,
        .package_count = image->package_count,
        .created_ms = resource->created_ms,
        .updated_ms = resource->modified_ms,
        .kernel = image->kernel,
    };
    struct error err = {0};
    struct wire_options options = {.with_ids = front->api.with_ids};
    AUTO_BUF struct buf body = {0};
    int written = wire_write_metadata(&options, &metadata, &body, &err);
    exchange_respond_written(exchange, written, &body, &err);
}
