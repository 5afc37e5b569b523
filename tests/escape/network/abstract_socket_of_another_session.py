# expect: OSError ECONNREFUSED  (abstract names belong to a network namespace)
import socket
socket.socket(socket.AF_UNIX).connect("\0" + BESIDE.strip())
