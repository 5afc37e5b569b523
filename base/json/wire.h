/* wire: the pool API's requests and answers as structs and as JSON text. Generations 1 and 2 go in
 * both directions, since the daemon writes what the client reads; 0 is written only.
 *
 * Source of every rule: docs/api.md. Values of `result` and `executionResult` are raw JSON text
 * and are passed through unchanged: integers of any length and 0.1 arrive as they left.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "base/core/error.h"

enum wire_generation {
    WIRE_GENERATION_0 = 0, /* python/execute, python/files: early 2024, before api-version */
    WIRE_GENERATION_1 = 1, /* code/execute, files/upload, files/content: 2024-02-02, 2024-08-02 */
    WIRE_GENERATION_2 = 2, /* executions, files/{name}/content: 2024-10-02 and later */
};

/* What differs inside a generation and by setting. Zeroed is the plainest form. */
struct wire_options {
    bool with_ids;       /* emit "$id" counters as the real front end does */
    bool with_directory; /* SessionResourceFile has "directory" (2025-10-02-preview) */
};

/* ---- executions ---- */

/* A program to run. Strings are owned by the struct; free with wire_execution_request_clear. */
struct wire_execution_request {
    char *code; /* UTF-8, NUL-terminated, without NULs inside; base64 already undone */
    size_t code_length;
    char *execution_type; /* as sent, or "Synchronous" */
    bool asynchronous;
    char *identifier;                  /* from the body, or NULL */
    int64_t timeout_s;                 /* 0: absent */
    int64_t output_streams_max_length; /* -1: absent */
};
void wire_execution_request_clear(struct wire_execution_request *request);

/* Reads either form (with or without the "properties" wrapper) for either generation; `code` and
 * `pythonCode` are the same. codeInputType is Inline, InlineText or InlineBase64 in any case,
 * absent means Inline. Errors: ERROR_MISSING when there is no code (the service says
 * SessionPropertiesMissing; empty code is missing), ERROR_INVALID for everything else wrong,
 * ERROR_LIMIT when too large. *ret_target names the member at fault, a static string, or is NULL.
 */
int wire_read_execution_request(const char *data, size_t length,
                                struct wire_execution_request *ret_request, const char **ret_target,
                                struct error *err);

/* For the client. Appends to out. */
int wire_write_execution_request(enum wire_generation generation,
                                 const struct wire_execution_request *request, struct buf *out,
                                 struct error *err);

enum wire_status {
    WIRE_STATUS_NOT_STARTED,
    WIRE_STATUS_RUNNING,
    WIRE_STATUS_SUCCEEDED,
    WIRE_STATUS_FAILED,
    WIRE_STATUS_CANCELED,
};

/* What a session was not allowed to do: an extension of this project (docs/api.md, "What was
 * refused"). Strings are owned by the struct. */
enum wire_refusal_kind {
    WIRE_REFUSAL_CALL,
    WIRE_REFUSAL_NETWORK,
    WIRE_REFUSAL_FILE,
    WIRE_REFUSAL_PROCESS
};
enum { WIRE_REFUSAL_ARGUMENTS = 6, WIRE_REFUSALS_MAX = 64 };
struct wire_refusal {
    enum wire_refusal_kind kind;
    char *subject; /* name of the call or operation, host, path */
    int64_t port;  /* of a host; 0: not known */
    char *error;   /* of a file or process, such as "EROFS"; NULL elsewhere */
    char *file;    /* of the guest's code; NULL: not known */
    int64_t line;
    int64_t count;
    uint64_t arguments[WIRE_REFUSAL_ARGUMENTS]; /* of a call; written only */
};
void wire_refusals_clear(struct wire_refusal *refusals, size_t count);

/* An execution. Strings are owned by the struct; free with wire_execution_clear. */
struct wire_execution {
    char *id;             /* generation 2 only; may be NULL */
    char *identifier;     /* generation 2 only; may be NULL */
    char *execution_type; /* generation 2 only; may be NULL */
    enum wire_status status;
    char *standard_output; /* UTF-8; NULL means ""; NULs possible, hence the length */
    size_t standard_output_length;
    char *standard_error;
    size_t standard_error_length;
    char *result; /* raw JSON text of the value; NULL means "\"\"" */
    size_t result_length;
    int64_t execution_time_ms;
    struct wire_refusal *refusals; /* owned; not in generation 0 */
    size_t refusal_count;          /* 0: there is no such member */
};
void wire_execution_clear(struct wire_execution *execution);

/* Appends the answer body to out. Generation 0 has `error` when it failed, generation 1 writes
 * `result` and `executionResult` both, generation 2 omits the result object while not finished.
 * ERROR_LIMIT when out's limit is reached. */
int wire_write_execution(enum wire_generation generation, const struct wire_options *options,
                         const struct wire_execution *execution, struct buf *out,
                         struct error *err);
int wire_read_execution(enum wire_generation generation, const char *data, size_t length,
                        struct wire_execution *ret_execution, struct error *err);

/* The image object of a figure as raw JSON text, appended to out (base64 of `png`). */
bool wire_write_image(const uint8_t *png, size_t length, struct buf *out);
/* Rule R: the raw JSON text for a value whose text/plain display is `text` (UTF-8). With as_string
 * it is always a JSON string (2024-10-02-preview). Appended to out; false when its limit is
 * reached. */
bool wire_write_value(const char *text, size_t length, bool as_string, struct buf *out);

/* ---- files ---- */

struct wire_file {
    char *name;      /* base name (generation 2) or path below the data directory (before) */
    char *directory; /* generation 2 with_directory: relative, "" at the top; NULL means "" */
    bool is_directory;
    char *content_type; /* NULL means application/octet-stream */
    uint64_t size_bytes;
    int64_t modified_s;
    int64_t modified_ns;
};
void wire_file_clear(struct wire_file *file);

struct wire_file_list {
    struct wire_file *files;
    size_t count;
};
void wire_file_list_clear(struct wire_file_list *list);
/* Adds a zeroed file at the end and returns it; valid until the next call. */
struct wire_file *wire_file_list_add(struct wire_file_list *list);

/* Before generation 2 one file is a list of one. */
int wire_write_file(enum wire_generation generation, const struct wire_options *options,
                    const struct wire_file *file, struct buf *out, struct error *err);
int wire_write_file_list(enum wire_generation generation, const struct wire_options *options,
                         const struct wire_file_list *list, struct buf *out, struct error *err);
int wire_read_file(enum wire_generation generation, const char *data, size_t length,
                   struct wire_file *ret_file, struct error *err);
int wire_read_file_list(enum wire_generation generation, const char *data, size_t length,
                        struct wire_file_list *ret_list, struct error *err);

/* The MIME type guessed from a name, with "; charset=utf-8" for text; never NULL, static. */
const char *wire_guess_content_type(const char *name);

/* ---- sessions; written only ---- */

/* Strings are borrowed. */
struct wire_session {
    const char *identifier;
    const char *etag;      /* stands for the instance behind the identifier */
    int64_t created_at_us; /* since 1970, as the next two */
    int64_t last_accessed_at_us;
    int64_t expires_at_us;
};
/* Both words for its end are written: views of one thing have had either. */
int wire_write_session(const struct wire_options *options, const struct wire_session *session,
                       struct buf *out, struct error *err);

/* A page. */
struct wire_session_list {
    const struct wire_session *sessions;
    size_t count;
    const char *next_link; /* NULL: the last page */
    bool managed;          /* as .management/listSessions has it, else as listSessions */
};
int wire_write_session_list(const struct wire_options *options,
                            const struct wire_session_list *list, struct buf *out,
                            struct error *err);

/* ---- what a pool's sessions have; written only, strings are borrowed ---- */

struct wire_component {
    const char *name;
    const char *version;
};

struct wire_kernel {
    const char *name;
    const char *version;
    const char *project_url;
    const char *description;
};

struct wire_metadata {
    const struct wire_component *runtimes;
    size_t runtime_count;
    const struct wire_component *packages;
    size_t package_count;
    int64_t created_ms; /* the pool; since 1970, as the next */
    int64_t updated_ms;
    struct wire_kernel kernel;
};
int wire_write_metadata(const struct wire_options *options, const struct wire_metadata *metadata,
                        struct buf *out, struct error *err);

/* ---- errors ---- */

struct wire_error {
    char *code;
    char *message;
    char *target;   /* may be NULL */
    char *trace_id; /* may be NULL */
};
void wire_error_clear(struct wire_error *error);
int wire_write_error(const struct wire_error *error, struct buf *out, struct error *err);
/* For the client; ERROR_INVALID when the body is not an error body. */
int wire_read_error(const char *data, size_t length, struct wire_error *ret_error,
                    struct error *err);
