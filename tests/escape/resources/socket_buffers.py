# expect: survives  (unread data of many connections counts towards a limit of the session)
import socket
server = socket.create_server(("127.0.0.1", 0))
kept = []
try:
    for _ in range(60):
        client = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
        client.setblocking(False)
        kept += [client, peer]
        try:
            while client.send(b"x" * 65536):
                pass
        except BlockingIOError:
            pass
except OSError:
    pass
