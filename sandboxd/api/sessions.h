/* sessions: operations on a session as a whole, and on the daemon. */
#pragma once

struct exchange;

void session_delete(struct exchange *exchange);
void health_show(struct exchange *exchange);
