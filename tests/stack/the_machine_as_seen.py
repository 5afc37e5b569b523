import locale
import multiprocessing
import os
import platform
import resource
import signal
import socket
import sys
import time
from zoneinfo import ZoneInfo
import datetime
assert os.cpu_count() >= 1 and multiprocessing.cpu_count() >= 1 and len(os.sched_getaffinity(0)) >= 1
assert os.sysconf("SC_PHYS_PAGES") > 0 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
assert platform.system() == "Linux" and platform.python_version() and sys.executable
assert os.path.expanduser("~") == "/home/session" and os.environ["HOME"] == "/home/session"
import getpass, pwd
assert pwd.getpwuid(os.getuid()).pw_name == "session"
assert socket.gethostname() == "session" and socket.gethostbyname("localhost") == "127.0.0.1"
assert datetime.datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")).utcoffset().seconds == 7200
locale.setlocale(locale.LC_ALL, "C.UTF-8")
hit = []
signal.signal(signal.SIGALRM, lambda *_: hit.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.05)
time.sleep(0.3)
assert hit
os.nice(1)
os.getloadavg
assert "ü".encode(sys.getfilesystemencoding()) == b"\xc3\xbc"
