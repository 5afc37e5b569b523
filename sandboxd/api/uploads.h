/* uploads: a file on its way from a client into a session, with flat memory.
 *
 * The helper inside the session opens an unnamed file first; bytes go into it as they arrive, and
 * only a complete file gets a name. Whatever ends an upload early leaves nothing behind.
 */
#pragma once

/* Largest file the service accepts: 128 MB (docs/api.md, "Limits"). */
enum { UPLOAD_BYTES_MAX = 134217728 };

struct exchange;

void upload_create(struct exchange *exchange);
