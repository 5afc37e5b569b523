/* model_url: from settings to the URL that questions go to. No system calls. */
#pragma once

#include "agent/llm/model.h"
#include "base/core/buf.h"

struct model_address {
    char *url;
    bool is_azure;    /* by its wire or its host */
    bool is_loopback; /* on this machine */
};
/* ERROR_INVALID: the endpoint, deployment or version cannot be used. ERROR_DENIED: a key would go
 * over plain http to another machine. */
int model_address_read(const struct model_settings *settings, struct model_address *ret_address,
                       struct error *err);
void model_address_clear(struct model_address *address);
