# expect: OSError ECONNREFUSED  (127.0.0.1 is the session's own loopback, not the machine's)
import socket
socket.create_connection(("127.0.0.1", DAEMON_PORT), timeout=5)
