# expect: OSError EPERM or EACCES or EAFNOSUPPORT or EPROTONOSUPPORT  (raw frames)
import socket
socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
