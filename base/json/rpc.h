/* rpc: JSON-RPC 2.0, the envelope around what a server is asked for and answers.
 *
 * Ids and parameters are raw JSON text inside the bytes that were read: an id of any length in
 * digits goes back as it came. docs/api.md, "MCP", has what is served by it.
 */
#pragma once

#include <stdbool.h>

#include "base/json/scan.h"
#include "base/json/writer.h"

enum {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
};

enum {
    RPC_BATCH_MAX = 32,         /* messages in one array (our limit) */
    RPC_ID_BYTES_MAX = 256,     /* of its JSON text (our limit) */
    RPC_METHOD_BYTES_MAX = 128, /* longer ones are unknown anyway (our limit) */
};

enum rpc_kind {
    RPC_REQUEST,
    RPC_NOTIFICATION, /* wants no answer */
    RPC_RESPONSE,     /* to a request that a server may send; we send none */
    RPC_BROKEN,       /* answer it with RPC_INVALID_REQUEST and `problem` */
};

/* Spans are borrowed from the text. */
struct rpc_message {
    enum rpc_kind kind;
    struct json_span id;     /* empty: null is written */
    struct json_span params; /* an object or an array; empty: absent */
    char method[RPC_METHOD_BYTES_MAX + 1];
    char problem[128];
};

/* What one body holds. */
struct rpc_text {
    struct rpc_message messages[RPC_BATCH_MAX];
    size_t count;
    bool is_batch; /* an array: it is answered by one */
};

/* A byte order mark is skipped. On failure *ret_code is RPC_PARSE_ERROR for what is not strict
 * JSON, or RPC_INVALID_REQUEST for an array that is empty or too long. */
int rpc_read(const char *data, size_t length, struct rpc_text *ret_text, int *ret_code,
             struct error *err);

/* An answer: begin, write the member "result", finish. */
struct writer rpc_begin_answer(const struct rpc_message *message, struct buf *out);
int rpc_finish_answer(struct writer *writer, struct error *err);

/* message may be NULL: nobody knows which. */
void rpc_write_error(const struct rpc_message *message, int code, const char *text,
                     struct buf *out);
