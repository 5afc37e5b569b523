# expect: survives  (threads and processes that do nothing but ask for what is refused: others are answered meanwhile)
# timeout: 8
import ctypes, os, threading
libc = ctypes.CDLL(None)


def ask():
    while True:
        libc.syscall(165, 0, 0, 0, 0, 0)


for _ in range(3):
    if os.fork() == 0:
        break
for _ in range(20):
    threading.Thread(target=ask, daemon=True).start()
ask()
