# expect: OSError EPERM or EACCES or EAFNOSUPPORT or EPROTONOSUPPORT  (no ICMP by hand)
import socket
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
