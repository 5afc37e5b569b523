# expect: prints True True 1  (the options that libraries set still work)
import socket
with socket.socket() as one, socket.socket(socket.AF_INET6) as two:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    two.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.settimeout(1)
    print(one.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1,
          one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1,
          two.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
