"""Every kind of death of an interpreter: the answer says so, files stay, the next call works."""
from __future__ import annotations

import time

import pytest

from support.client import Client

TIMED_OUT = "Request timed out waiting for code execution to complete"
ABORTED = "Execution aborted"


def prepare(session: Client) -> None:
    session.run("kept = 5\nopen('/mnt/data/kept.txt', 'w').write('kept');")


def assert_recovered(session: Client) -> None:
    assert session.execute("1 + 1").value == 2
    assert session.download("kept.txt").body == b"kept"


DEATHS = {
    "segmentation fault": "import ctypes; ctypes.string_at(0)",
    "os._exit": "import os; os._exit(0)",
    "abort": "import os; os.abort()",
    "SIGKILL to itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "SIGTERM to itself": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "illegal instruction": "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
    "execve": "import os; os.execv('/usr/bin/true', ['true'])",
    "end of the C stack": "import sys, threading\nsys.setrecursionlimit(10**9)\ndef f(): f.__class__(f.__code__, globals())()\n"
                          "class A:\n    def __getattr__(self, name): return getattr(self, name)\nA().x",
}


@pytest.mark.parametrize("name", DEATHS)
def test_a_dead_interpreter_fails_the_execution_only(session: Client, name: str) -> None:
    prepare(session)
    execution = session.execute("print('before', flush=True)\n" + DEATHS[name], timeout_s=30)
    assert execution.status == "Failed"
    assert execution.stdout.startswith("before\n")
    assert ABORTED in execution.stderr
    assert_recovered(session)
    assert "NameError" in session.execute("kept").stderr


def test_too_much_memory_aborts_the_execution(session: Client) -> None:
    prepare(session)
    execution = session.execute("hoard = [b'x' * (64 << 20) for _ in range(64)]")
    assert execution.status == "Failed" and execution.stderr.strip().endswith(ABORTED)
    assert_recovered(session)


def test_a_deadline_interrupts_and_keeps_the_variables(session: Client) -> None:
    prepare(session)
    started = time.monotonic()
    execution = session.execute("print('began', flush=True)\nimport time\nwhile True:\n    time.sleep(0.01)", timeout_s=1)
    assert execution.status == "Failed" and execution.stderr == TIMED_OUT
    assert execution.stdout == "began\n"
    assert 1 <= time.monotonic() - started < 8
    assert session.execute("kept").value == 5


def test_a_deadline_interrupts_a_busy_loop(session: Client) -> None:
    prepare(session)
    assert session.execute("while True: pass", timeout_s=1).stderr == TIMED_OUT
    assert session.execute("kept").value == 5


@pytest.mark.parametrize("code", [
    "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
    "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt:\n        pass",
    "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "(2 ** 10 ** 9) % 7 + sum(10 ** 10 ** 8 % 3 for _ in range(10 ** 6))",
    "import os\nos.mkfifo('/tmp/fifo')\nimport signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\nopen('/tmp/fifo')",
])
def test_a_loop_that_cannot_be_interrupted_is_killed_and_files_stay(session: Client, code: str) -> None:
    prepare(session)
    execution = session.execute(code, timeout_s=1)
    assert execution.status == "Failed" and execution.stderr == TIMED_OUT
    assert_recovered(session)


def test_children_end_with_a_killed_interpreter(session: Client) -> None:
    session.run("import subprocess\nchild = subprocess.Popen(['sleep', '1000'])")
    session.execute("import os; os._exit(1)")
    left = session.run("import os\nprint([p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()])")
    assert left == "[]\n"


def test_fork_returning_twice_gives_one_answer(session: Client) -> None:
    execution = session.execute("import os\npid = os.fork()\nprint('parent' if pid else 'child', flush=True)\n1 + 1")
    assert execution.succeeded and execution.value == 2 and "parent" in execution.stdout
    assert session.execute("'again'").value == "'again'"
    assert session.execute("pid > 0").value == "True"


def test_threads_left_running_do_not_hold_the_answer_back(session: Client) -> None:
    started = time.monotonic()
    session.run("import threading, time\nthreading.Thread(target=time.sleep, args=(30,)).start()")
    assert time.monotonic() - started < 10
    assert session.execute("1 + 1").value == 2


def test_a_child_left_running_does_not_hold_the_answer_back(session: Client) -> None:
    started = time.monotonic()
    session.run("import subprocess\nchild = subprocess.Popen(['sleep', '30'])")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("code", ["import os\nos.close(1); os.close(2)", "import sys\nsys.stdout = sys.stderr = None",
                                  "import os\nfor fd in range(3, 64):\n    try: os.close(fd)\n    except OSError: pass",
                                  "import sys\nsys.modules.clear()", "import builtins\nfor n in dir(builtins):\n    if n[0].islower() and n not in ('setattr', 'delattr', 'dir'):\n        delattr(builtins, n)",
                                  "get_ipython().run_cell = None", "__builtins__ = None"])
def test_a_wrecked_interpreter_is_replaced_or_works(session: Client, code: str) -> None:
    session.execute(code, timeout_s=20)
    for _ in range(2):
        execution = session.execute("6 * 7", timeout_s=20)
        if execution.succeeded and execution.value == 42:
            break
    else:
        # What a program does to its own interpreter may outlive it only until the session is removed.
        session.delete_session()
    assert session.execute("6 * 7").value == 42
