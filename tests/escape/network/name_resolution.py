# expect: error gaierror  (an ordinary exception of the program)
import socket
socket.getaddrinfo("example.com", 80)
