/* egress_reader: the members of a pool's document that are about its network. */
#pragma once

#include "base/json/json.h"
#include "sandboxd/pool/pool.h"

/* properties.sessionNetworkConfiguration */
int egress_read_status(json_t *properties, const char *path, struct pool_egress *egress,
                       struct error *err);
/* sandpool.egressAllow and sandpool.egressDns; after the status. */
int egress_read_settings(json_t *sandpool, const char *path, struct pool_egress *egress,
                         struct error *err);
