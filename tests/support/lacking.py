"""Commands for a machine that lacks something: what `sandboxd` is started with, in front of its own name."""
from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from pathlib import Path

# Mounts of a namespace of its own, in which no cgroup tree is mounted.
NO_CGROUPS = ["unshare", "--mount", "sh", "-c",
              'umount --recursive /sys/fs/cgroup && exec "$@"', "sh"]

# A part of /proc is hidden, as in a container: the kernel then makes no other procfs that would show it.
COVERED_PROC = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc/tty && exec "$@"', "sh"]

SYS_LANDLOCK_CREATE_RULESET = 444
SYS_SETHOSTNAME = 170


def without_call(number: int) -> list[str]:
    """The kernel answers ENOSYS to one system call, as an older one would."""
    return [sys.executable, "-B", str(Path(__file__).resolve()), str(number)]


def without_user_namespaces() -> list[str]:
    """No user namespace can be made: user.max_user_namespaces is 0. For root to start."""
    return [sys.executable, "-B", str(Path(__file__).resolve()), "user-namespaces"]


def _filter(number: int) -> None:
    """BPF: load the number; ours is answered with ENOSYS, any other is allowed."""
    program = struct.pack("HBBI" * 4,
                          0x20, 0, 0, 0,
                          0x15, 0, 1, number,
                          0x06, 0, 0, 0x00050000 | errno.ENOSYS,
                          0x06, 0, 0, 0x7FFF0000)
    instructions = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", 4, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _forbid_user_namespaces() -> None:
    """In a user namespace with all ids of the machine, which a child outside of it maps."""
    own = os.getpid()
    ready, go = os.pipe()
    if (mapper := os.fork()) == 0:
        os.read(ready, 1)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{own}/{name}").write_text("0 0 4294967295")
        os._exit(0)
    CLONE_NEWUSER = 0x10000000
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(go, b"x")
    os.waitpid(mapper, 0)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


if __name__ == "__main__":
    if sys.argv[1] == "user-namespaces":
        _forbid_user_namespaces()
    else:
        _filter(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
