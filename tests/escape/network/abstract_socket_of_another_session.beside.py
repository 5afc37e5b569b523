import os, socket
name = "escape-" + os.urandom(4).hex()
server = socket.socket(socket.AF_UNIX)
server.bind("\0" + name)
server.listen()
print(name)
