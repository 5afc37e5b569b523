# expect: prints refused  (signals that arrive while the broker is asked may end the wait, and never let a call through)
import ctypes, errno, signal
libc = ctypes.CDLL(None, use_errno=True)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for _ in range(500):
    assert libc.syscall(165, 0, 0, 0, 0, 0) == -1
    assert ctypes.get_errno() in (errno.EPERM, errno.EINTR)
signal.setitimer(signal.ITIMER_REAL, 0)
print("refused")
