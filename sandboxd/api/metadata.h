/* metadata: what a pool's sessions have. */
#pragma once

struct exchange;

void metadata_show(struct exchange *exchange);
