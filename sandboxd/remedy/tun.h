/* tun: can sessions have a network on this machine? */
#pragma once

/* "" when /dev/net/tun is there for everybody, as a session's own id opens it; else what is missing
 * and the remedy. */
const char *tun_why_not(void);
