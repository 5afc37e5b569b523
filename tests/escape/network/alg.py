# expect: OSError EPERM or EACCES or EAFNOSUPPORT or EPROTONOSUPPORT  (AF_ALG is the kernel's crypto, known for its bugs)
import socket
socket.socket(38, socket.SOCK_SEQPACKET, 0)
