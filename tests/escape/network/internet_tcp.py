# expect: OSError ENETUNREACH  (at once, not after a time-out)
import socket
socket.create_connection(("8.8.8.8", 53), timeout=5)
