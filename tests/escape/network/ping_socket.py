# expect: OSError EPERM or EACCES or EAFNOSUPPORT or EPROTONOSUPPORT  (nor by a ping socket)
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
