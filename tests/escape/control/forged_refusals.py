# expect: fails  (sits between its interpreter and the front, and knows the nonce)
import os, socket, struct, threading
front = os.dup(1000)
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
os.dup2(theirs.fileno(), 1000)


def between():
    done = ours.recv(65536)
    kind = struct.unpack_from("<H", done, 4)[0] - 1
    os.write(front, done[:4] + struct.pack("<HH", kind, 0) + done[8:16] + b"network\tno number\t\xff\0\n" * 2000)
    os.write(front, done)


threading.Thread(target=between).start()
