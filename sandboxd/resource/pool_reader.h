/* pool_reader: pool documents, from the configuration file and from PUT and PATCH.
 *
 * The names are those of the resource in ARM, of every version; `az containerapp sessionpool show`
 * prints a document that is accepted. Members that Azure has and that change nothing here are given
 * back or ignored, null is the same as absent; what this daemon does not serve is refused. What
 * Azure does not have is in `sandpool`, beside `properties` or in them, where unknown members are
 * errors.
 */
#pragma once

#include "base/json/json.h"
#include "sandboxd/resource/pool_resource.h"

enum { POOL_DOCUMENT_BYTES_MAX = 64 * 1024 };

/* path is where the document is, for messages: "pools[0]", or "" for a document of its own.
 * known is who it is about when the document need not say so, as the path of a request does; a
 * document that says otherwise is refused. NULL: the document must say.
 *
 * ERROR_INVALID names the member at fault; ERROR_DENIED names one that asks for what is not served;
 * ERROR_LIMIT: more ready instances than sessions. ret_resource is returned: pool_resource_clear.
 */
int pool_read(json_t *document, const char *path, const struct resource_id *known,
              struct pool_resource *ret_resource, struct error *err);

/* The same for the bytes of a body or a file. */
int pool_read_text(const char *data, size_t length, const struct resource_id *known,
                   struct pool_resource *ret_resource, struct error *err);
