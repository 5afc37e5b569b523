# expect: prints EPERM EPERM EPERM EPERM  (a guest may load no filter and answer no question of its own)
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
# the sizes, a filter with a listener, one without, the old way
for arguments in ((317, 3, 0, bytes(8)), (317, 1, 8, bytes(16)), (317, 1, 0, bytes(16)), (157, 22, 2, bytes(16))):
    assert libc.syscall(*arguments) == -1
    print(errno.errorcode[ctypes.get_errno()], end=" " if arguments[0] != 157 else "\n")
