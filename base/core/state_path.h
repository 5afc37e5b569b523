/* state_path: where the daemon keeps its state when nobody says where. */
#pragma once

/* /var/lib/sandpool for root; for an ordinary user $XDG_STATE_HOME/sandpool, or below his home
 * directory ~/.local/state/sandpool. Borrowed, for the life of the process. */
const char *state_path_default(void);
