# expect: OSError ENETUNREACH or EADDRNOTAVAIL
import socket
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"x", ("2001:4860:4860::8888", 53))
