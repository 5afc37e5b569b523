#include "agent/credential/identity.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/credential/plan.h"
#include "agent/credential/program.h"
#include "agent/credential/reply.h"
#include "base/core/cleanup.h"

enum {
    SCOPES_MAX = 4,
    RENEW_BEFORE_S = 300, /* as azure-identity does */
    TRIES_MAX = 3,
    PAUSE_MS = 1000, /* before the second try, and twice that before the third */
};

/* One scope's token, and the search for it. */
struct slot {
    struct identity *identity;
    char *scope;
    struct token_reply kept;
    struct credential_wait *waits;

    bool searching;
    enum token_source source;
    unsigned tries;
    struct token_plan plan;
    struct program program;
    struct http_exchange *exchange;
    struct buf answer;
    struct timer pause;
    struct buf reasons; /* why earlier sources gave none */
};

struct identity {
    struct loop *loop;
    struct http_client *http;
    bool only_given;
    bool found;
    enum token_source found_source;
    struct slot slots[SCOPES_MAX];
};

static void try_source(struct slot *slot);

/* ---- the end of a search ---- */

static void forget_attempt(struct slot *slot)
{
    token_plan_clear(&slot->plan);
    program_clear(&slot->program);
    if (slot->answer.data)
        explicit_bzero(slot->answer.data, slot->answer.length);
    buf_free(&slot->answer);
}

static void end_search(struct slot *slot, const struct error *failure)
{
    slot->searching = false;
    buf_free(&slot->reasons);
    /* Whoever is told may ask again, and the token may be replaced then. */
    AUTO_FREE char *token = failure ? NULL : xstrdup(slot->kept.token);
    credential_wait_end_all(&slot->waits, token, failure);
    if (token)
        explicit_bzero(token, strlen(token));
}

static void fail_search(struct slot *slot)
{
    struct error failure;
    error_set(&failure, ERROR_DENIED,
              "no credential for %s: set SANDPOOL_TOKEN to a bearer token, or see: %.360s",
              slot->scope, slot->reasons.length ? slot->reasons.data : "no source");
    end_search(slot, &failure);
}

/* A source that the environment names is meant: its failure is not hidden by a later one. */
static void give_up_source(struct slot *slot, const struct error *reason)
{
    struct identity *identity = slot->identity;
    bool is_last =
        identity->found || (token_source_is_given(slot->source) && reason->code != ERROR_MISSING);
    buf_printf(&slot->reasons, "%s%s: %s", slot->reasons.length ? "; " : "",
               token_source_name(slot->source), reason->message);
    forget_attempt(slot);
    slot->source++;
    slot->tries = 0;
    if (is_last) {
        identity->found = false;
        fail_search(slot);
        return;
    }
    try_source(slot);
}

static void take(struct slot *slot, const char *data, size_t length)
{
    struct error err = {0};
    struct token_reply reply = {0};
    if (token_reply_read(data, length, time(NULL), &reply, &err) < 0) {
        give_up_source(slot, &err);
        return;
    }
    token_reply_clear(&slot->kept);
    slot->kept = reply;
    slot->identity->found = true;
    slot->identity->found_source = slot->source;
    forget_attempt(slot);
    end_search(slot, NULL);
}

/* ---- one attempt ---- */

static void on_program_done(void *self, const struct error *failure)
{
    struct slot *slot = self;
    if (!failure) {
        take(slot, slot->program.output.data, slot->program.output.length);
        return;
    }
    struct error reason = *failure;
    token_scrub(reason.message);
    give_up_source(slot, &reason);
}

static int on_data(void *self, struct http_exchange *exchange, const char *data, size_t length,
                   struct error *err)
{
    (void)exchange;
    struct slot *slot = self;
    if (!buf_append(&slot->answer, data, length))
        return error_set(err, ERROR_LIMIT, "the reply is too long");
    return 0;
}

static void on_pause_over(void *self)
{
    try_source(self);
}

/* Busy, or (a metadata service that has just started) not there yet. */
static bool will_try_again(struct slot *slot, unsigned status)
{
    bool is_passing =
        status == 429 || status >= 500 || (slot->source == TOKEN_VIRTUAL_MACHINE && status == 404);
    if (!is_passing || slot->tries >= TRIES_MAX)
        return false;
    struct loop *loop = slot->identity->loop;
    forget_attempt(slot);
    loop_start_timer(loop, &slot->pause, loop_now_ms(loop) + (int64_t)PAUSE_MS * slot->tries,
                     on_pause_over, slot);
    return true;
}

static void on_request_done(void *self, struct http_exchange *exchange, const struct error *failure)
{
    struct slot *slot = self;
    unsigned status = http_exchange_status(exchange);
    struct error reason;
    slot->exchange = NULL;
    if (failure) {
        reason = *failure;
        give_up_source(slot, &reason);
    } else if (status == 200) {
        take(slot, slot->answer.data, slot->answer.length);
    } else if (!will_try_again(slot, status)) {
        token_reply_refusal(status, slot->answer.data ? slot->answer.data : "", slot->answer.length,
                            &reason);
        give_up_source(slot, &reason);
    }
}

static int send_request(struct slot *slot, struct error *err)
{
    const struct token_plan *plan = &slot->plan;
    bool is_form = plan->body.length > 0;
    const char *headers[] = {
        is_form ? "Content-Type: application/x-www-form-urlencoded" : plan->header, NULL};
    struct http_exchange_options options = {
        .method = is_form ? "POST" : "GET",
        .url = plan->url,
        .headers = headers,
        .body = is_form ? plan->body.data : NULL,
        .body_length = plan->body.length,
        .answer_bytes_max = TOKEN_REPLY_BYTES_MAX,
        .connect_timeout_ms = plan->connect_timeout_ms,
        .total_timeout_ms = plan->total_timeout_ms,
    };
    struct http_exchange_handler handler = {
        .self = slot, .on_data = on_data, .on_done = on_request_done};
    slot->answer.limit = TOKEN_REPLY_BYTES_MAX;
    return http_client_start(slot->identity->http, &options, &handler, &slot->exchange, err);
}

static int start_attempt(struct slot *slot, struct error *err)
{
    if (token_plan_make(slot->source, slot->scope, &slot->plan, err) < 0)
        return -1;
    slot->tries++;
    if (!slot->plan.arguments[0])
        return send_request(slot, err);
    slot->program.loop = slot->identity->loop;
    slot->program.self = slot;
    slot->program.on_done = on_program_done;
    return program_start(&slot->program, slot->plan.arguments, slot->plan.total_timeout_ms, err);
}

static void try_source(struct slot *slot)
{
    struct error err = {0};
    while (slot->identity->only_given && slot->source < TOKEN_SOURCES &&
           !token_source_is_given(slot->source))
        slot->source++;
    if (slot->source >= TOKEN_SOURCES)
        fail_search(slot);
    else if (start_attempt(slot, &err) < 0)
        give_up_source(slot, &err);
}

/* ---- asking ---- */

static struct slot *find_slot(struct identity *identity, const char *scope)
{
    for (size_t i = 0; i < SCOPES_MAX; i++) {
        struct slot *slot = &identity->slots[i];
        if (!slot->scope) {
            slot->identity = identity;
            slot->scope = xstrdup(scope);
        }
        if (strcmp(slot->scope, scope) == 0)
            return slot;
    }
    return NULL;
}

static void ask(void *self, const char *scope, bool fresh, struct credential_wait *wait)
{
    struct identity *identity = self;
    struct slot *slot = find_slot(identity, scope);
    if (!slot) {
        struct error err;
        error_set(&err, ERROR_LIMIT, "more than %d scopes", SCOPES_MAX);
        wait->on_token(wait->self, NULL, &err);
        return;
    }
    bool is_good = slot->kept.token && time(NULL) < slot->kept.expires_s - RENEW_BEFORE_S;
    if (is_good && !fresh && !slot->searching) {
        wait->on_token(wait->self, slot->kept.token, NULL);
        return;
    }
    credential_wait_push(&slot->waits, wait);
    if (slot->searching)
        return;
    slot->searching = true;
    slot->source = identity->found ? identity->found_source : 0;
    slot->tries = 0;
    try_source(slot);
}

struct credential identity_credential(struct identity *identity)
{
    return (struct credential){.self = identity, .ask = ask};
}

const char *identity_source(const struct identity *identity)
{
    return identity->found ? token_source_name(identity->found_source) : NULL;
}

bool identity_is_given(void)
{
    bool given = false;
    for (enum token_source source = 0; source < TOKEN_SOURCES; source++)
        given |= token_source_is_given(source);
    return given;
}

struct identity *identity_create(struct loop *loop, struct http_client *http, bool only_given)
{
    struct identity *identity = xcalloc(1, sizeof *identity);
    *identity = (struct identity){.loop = loop, .http = http, .only_given = only_given};
    return identity;
}

void identity_destroy(struct identity *identity)
{
    if (!identity)
        return;
    for (size_t i = 0; i < SCOPES_MAX; i++) {
        struct slot *slot = &identity->slots[i];
        if (slot->exchange)
            http_exchange_cancel(slot->exchange);
        program_cancel(&slot->program);
        loop_stop_timer(identity->loop, &slot->pause);
        forget_attempt(slot);
        token_reply_clear(&slot->kept);
        buf_free(&slot->reasons);
        free(slot->scope);
    }
    free(identity);
}
