# expect: prints held  (local servers are ordinary programs)
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname(), timeout=5)
server.accept()[0].sendall(b"held")
print(client.recv(4).decode())
