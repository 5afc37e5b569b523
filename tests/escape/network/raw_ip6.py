# expect: OSError EPERM or EACCES or EAFNOSUPPORT or EPROTONOSUPPORT  (nor ICMPv6)
import socket
socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
