/* tape: what was said between an agent, a model and a pool, as a file of JSON lines.
 *
 * docs/tapes.md describes the format. The reader meets files from anywhere: bounded, fuzzed, one
 * error that names the line. The writer appends whole lines, so that a tape that was cut short is
 * still one up to there.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/tape/reply.h"
#include "base/core/cleanup.h"
#include "base/core/error.h"

enum {
    TAPE_VERSION = 1,
    TAPE_BYTES_MAX = 128 * 1024 * 1024,
    TAPE_LINE_BYTES_MAX = 32 * 1024 * 1024,
    TAPE_EXCHANGES_MAX = 10000,
    TAPE_TIME_MS_MAX = 24 * 3600 * 1000, /* of one answer */
};

/* Whom a request went to. */
enum tape_party { TAPE_MODEL, TAPE_POOL };
const char *tape_party_name(enum tape_party party); /* "llm", "session" */

/* A request as it is compared: what differs from run to run has become a token, "<session>". */
struct tape_request {
    enum tape_party party;
    char *method;
    char *path;   /* with its query, without scheme and host */
    json_t *body; /* NULL: none. JSON as it was; {"text": ...} of another; {"upload": ...} of a file
                     that was sent */
};
void tape_request_clear(struct tape_request *request);
/* SHA-256 of the request's canonical text: sorted keys, no blanks. */
enum { TAPE_DIGEST_MAX = 65 };
void tape_request_digest(const struct tape_request *request, char ret_digest[TAPE_DIGEST_MAX]);
void tape_digest(const void *data, size_t length, char ret_digest[TAPE_DIGEST_MAX]);

struct tape_exchange {
    struct tape_request request;
    unsigned line; /* of the request */
    bool is_answered;
    struct reply reply; /* its pieces as they came, with their times */
};

struct tape {
    json_t *header;
    struct tape_exchange *exchanges;
    size_t count;
    size_t capacity;
    json_t *turns; /* an array: the user's, in order */
    json_t *final; /* NULL: the recording was cut short */
};

/* ERROR_INVALID, ERROR_LIMIT with the line. data is borrowed; the tape is returned. */
int tape_read(const char *data, size_t length, struct tape **ret_tape, struct error *err);
int tape_load(const char *path, struct tape **ret_tape, struct error *err);
void tape_destroy(struct tape *tape);
/* Does it begin as a tape does? A script never does. */
bool tape_is_tape(const char *data, size_t length);
DEFINE_AUTO(tape)

/* ---- writing ---- */

/* Texts that never reach a tape: each is replaced by its token, the longest first. */
enum { TAPE_TOKENS_MAX = 32, TAPE_SECRET_BYTES_MIN = 6 };
struct tape_tokens {
    struct tape_token {
        char *text;
        char *token;
    } items[TAPE_TOKENS_MAX];
    size_t count;
};
/* Both are copied. False for a text that is too short to be told from others, and when there are
 * too many. A token stands for one text: the newest. */
bool tape_tokens_add(struct tape_tokens *tokens, const char *text, const char *token);
void tape_tokens_clear(struct tape_tokens *tokens);
/* Appends the text with the tokens in place of what they stand for. */
void tape_tokens_replace(const struct tape_tokens *tokens, const char *text, size_t length,
                         struct buf *out);
/* And back: with what the tokens stand for now. Secrets stay out. */
void tape_tokens_restore(const struct tape_tokens *tokens, const char *text, size_t length,
                         struct buf *out);
/* A copy in which every string is replaced so. returned */
json_t *tape_tokens_replace_all(const struct tape_tokens *tokens, json_t *value);
extern const char tape_secret_token[]; /* "<secret>" */

/* Makes a new file, for its owner only. ERROR_CONFLICT when there is one. */
int tape_create_file(const char *path, int *ret_fd, struct error *err);
/* Appends one event; the reference is taken. */
int tape_write(int fd, json_t *event, struct error *err);
/* The lines of an exchange. Pieces of the answer that a token lies across are joined. */
int tape_write_exchange(int fd, const struct tape_exchange *exchange,
                        const struct tape_tokens *tokens, struct error *err);
