#include "sandboxd/api/sessions.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/text.h"
#include "base/json/wire.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"
#include "sandboxd/api/wall_clock.h"
#include "sandboxd/link/session_link.h"

enum { SESSIONS_PER_PAGE = 300 }; /* as the service has it */

/* NULL after having answered that there is none. A session is not made for this. */
static struct session *find_session(struct exchange *exchange)
{
    if (!exchange_check_identifier(exchange, exchange->identifier))
        return NULL;
    struct session *session = pool_find_session(exchange->pool, exchange->identifier);
    if (session)
        exchange->session_number = session_link_of(session)->number;
    else
        exchange_fail(exchange, SERVICE_SESSION_NOT_FOUND, "identifier",
                      "the pool has no session with this identifier");
    return session;
}

static struct wire_session describe(const struct session *session)
{
    return (struct wire_session){
        .identifier = session->identifier,
        .etag = session_link_of(session)->guid,
        .created_at_us = wall_clock_us(session->record.created_at_ms),
        .last_accessed_at_us = wall_clock_us(session->record.used_at_ms),
        .expires_at_us = wall_clock_us(pool_expiry_of_session(session)),
    };
}

static struct wire_options options_for(const struct exchange *exchange)
{
    return (struct wire_options){.with_ids = exchange->front->api.with_ids};
}

void session_show(struct exchange *exchange)
{
    const struct session *session = find_session(exchange);
    if (!session)
        return;
    struct error err = {0};
    AUTO_BUF struct buf body = {0};
    struct wire_session view = describe(session);
    struct wire_options options = options_for(exchange);
    int written = wire_write_session(&options, &view, &body, &err);
    exchange_respond_written(exchange, written, &body, &err);
}

void session_stop(struct exchange *exchange)
{
    struct session *session = find_session(exchange);
    if (!session)
        return;
    AUTO_BUF struct buf body = {0};
    buf_printf(&body, "Session %s in session pool %s stopped.", session->identifier,
               exchange->pool->settings.name);
    pool_remove_session(session);

    struct http_response response = {.status = 200, .body_length = body.length};
    response.body = buf_take(&body);
    http_response_add(&response, "Content-Type", "text/plain; charset=utf-8");
    exchange_respond(exchange, &response);
}

void session_delete(struct exchange *exchange)
{
    const char *identifier = exchange->identifier;
    if (!exchange_check_identifier(exchange, identifier))
        return;
    struct session *session = pool_find_session(exchange->pool, identifier);
    if (session) {
        exchange->session_number = session_link_of(session)->number;
        pool_remove_session(session);
    }
    /* The wish is fulfilled either way. */
    exchange_respond_empty(exchange, 204);
}

/* ---- lists ---- */

static bool read_skip(struct exchange *exchange, size_t *ret_skip)
{
    const char *text = http_target_parameter(&exchange->target, "skip");
    uint64_t skip = 0;
    bool is_one = http_target_parameter_count(&exchange->target, "skip") <= 1;
    if (!is_one || (text && (!text_parse_u64(text, &skip) || skip > SIZE_MAX))) {
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "skip",
                      "skip must be given once at most, and be a number of sessions from 0");
        return false;
    }
    *ret_skip = (size_t)skip;
    return true;
}

static void write_next_link(const struct exchange *exchange, size_t skip, struct buf *out)
{
    exchange_write_url(exchange, out);
    buf_printf(out, "?api-version=%s&skip=%zu", dialect_version_name(exchange->version), skip);
}

static void list(struct exchange *exchange, bool managed)
{
    size_t skip = 0, count = 0, shown = 0;
    if (!read_skip(exchange, &skip))
        return;
    AUTO_FREE struct session **sessions = pool_list_sessions(exchange->pool, &count);
    AUTO_FREE struct wire_session *views = xcalloc(SESSIONS_PER_PAGE, sizeof *views);
    while (shown < SESSIONS_PER_PAGE && skip < count)
        views[shown++] = describe(sessions[skip++]);

    struct error err = {0};
    AUTO_BUF struct buf link = {0};
    AUTO_BUF struct buf body = {0};
    if (skip < count)
        write_next_link(exchange, skip, &link);
    struct wire_session_list page = {
        .sessions = views, .count = shown, .next_link = link.data, .managed = managed};
    struct wire_options options = options_for(exchange);
    int written = wire_write_session_list(&options, &page, &body, &err);
    exchange_respond_written(exchange, written, &body, &err);
}

void session_list(struct exchange *exchange)
{
    list(exchange, false);
}

void session_list_managed(struct exchange *exchange)
{
    list(exchange, true);
}

/* ---- the daemon ---- */

void health_show(struct exchange *exchange)
{
    if (!front_is_healthy(exchange->front)) {
        exchange_fail(exchange, SERVICE_UNAVAILABLE, NULL, "the first sessions are being made");
        return;
    }
    AUTO_BUF struct buf body = {0};
    buf_append_text(&body, "{\"message\":\"healthy\",\"missingLayers\":[");
    for (int layer = 0, count = 0; layer < LAYERS_MAX; layer++) {
        if (!layer_is_missing((enum layer)layer))
            continue;
        buf_append_text(&body, count++ > 0 ? ",\"" : "\"");
        buf_append_text(&body, layer_name((enum layer)layer));
        buf_append_text(&body, "\"");
    }
    buf_append_text(&body, "]}");
    exchange_respond_json(exchange, 200, &body);
}
