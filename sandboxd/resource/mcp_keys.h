/* mcp_keys: the key of each pool's MCP endpoint, kept in "mcp-keys.json" of the state directory.
 *
 * By the pool's key, in any case. They survive restarts, for pools of the configuration too.
 */
#pragma once

#include <stddef.h>

#include "base/core/error.h"
#include "sandboxd/pool/pool.h"

enum {
    MCP_KEY_BYTES = 32,
    MCP_KEY_TEXT_MAX = 44, /* its base64url and the terminator */
    MCP_KEYS_MAX = 1024,   /* of pools that were taken out of the configuration too */
};

struct mcp_key {
    char pool[POOL_KEY_MAX + 1];
    char text[MCP_KEY_TEXT_MAX];
};

/* Zeroed but for the directory: empty. */
struct mcp_keys {
    int directory_fd; /* borrowed; -1: nothing is kept */
    struct mcp_key *items;
    size_t count;
};

/* No file is no key. */
int mcp_keys_load(struct mcp_keys *keys, struct error *err);
/* Borrowed until the next change; NULL where there is none. */
const char *mcp_keys_find(const struct mcp_keys *keys, const char *pool);
/* Makes a key for the pool, in place of the one that it has. *ret_text as above. */
int mcp_keys_renew(struct mcp_keys *keys, const char *pool, const char **ret_text,
                   struct error *err);
int mcp_keys_forget(struct mcp_keys *keys, const char *pool, struct error *err);
void mcp_keys_clear(struct mcp_keys *keys);
