# expect: OSError EPERM or EACCES or EAFNOSUPPORT or EPROTONOSUPPORT  (routes and interfaces are the host's business)
import socket
socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
