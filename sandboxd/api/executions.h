/* executions: running code in a session and answering with what it did, in both generations. */
#pragma once

struct exchange;

/* POST code/execute and POST executions. */
void execution_create(struct exchange *exchange);
void execution_show(struct exchange *exchange);
void execution_cancel(struct exchange *exchange);
