#include "sandboxd/api/sessions.h"

#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"
#include "sandboxd/api/session_link.h"

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
    struct http_response response = {.status = 204};
    exchange_respond(exchange, &response);
}

void health_show(struct exchange *exchange)
{
    if (!front_is_healthy(exchange->front)) {
        exchange_fail(exchange, SERVICE_UNAVAILABLE, NULL, "the first sessions are being made");
        return;
    }
    AUTO_BUF struct buf body = {0};
    buf_append_text(&body, "{\"message\":\"healthy\"}");
    exchange_respond_json(exchange, 200, &body);
}
