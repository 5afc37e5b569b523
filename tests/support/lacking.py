"""Commands for a machine that lacks something: what `sandboxd` is started with, in front of its own name."""
from __future__ import annotations

import ctypes
import errno
import struct
import sys
from pathlib import Path

# Mounts of a namespace of its own, in which no cgroup tree is mounted.
NO_CGROUPS = ["unshare", "--mount", "sh", "-c",
              'umount --recursive /sys/fs/cgroup && exec "$@"', "sh"]

SYS_LANDLOCK_CREATE_RULESET = 444


def without_call(number: int) -> list[str]:
    """The kernel answers ENOSYS to one system call, as an older one would."""
    return [sys.executable, "-B", str(Path(__file__).resolve()), str(number)]


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


if __name__ == "__main__":
    import os
    _filter(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
