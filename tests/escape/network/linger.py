# expect: OSError EPERM  (a lingering socket makes whoever closes it last wait, and it can be sent to the front)
import socket, struct
with socket.socket() as one:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
