import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1])
