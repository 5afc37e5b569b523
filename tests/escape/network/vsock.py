# expect: OSError EPERM or EACCES or EAFNOSUPPORT or EPROTONOSUPPORT  (AF_VSOCK reaches the hypervisor from any network namespace)
import socket
socket.socket(40, socket.SOCK_STREAM, 0)
