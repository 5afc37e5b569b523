/* sessions: operations on sessions as a whole, and on the daemon. */
#pragma once

struct exchange;

/* Looking at a session is no use of it: it expires when it would have. */
void session_show(struct exchange *exchange);
void session_delete(struct exchange *exchange);
void session_stop(struct exchange *exchange);
void session_list(struct exchange *exchange);
void session_list_managed(struct exchange *exchange);
void health_show(struct exchange *exchange);
