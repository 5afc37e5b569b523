# expect: OSError EPERM or EACCES or EAFNOSUPPORT or EPROTONOSUPPORT  (TCP and UDP only)
import socket
socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
