# expect: OSError ECONNREFUSED  (each session has a loopback of its own)
import socket
socket.create_connection(("127.0.0.1", int(BESIDE)), timeout=5)
