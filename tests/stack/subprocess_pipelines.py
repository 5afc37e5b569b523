import signal
import subprocess
import sys
done = subprocess.run("printf 'b\\na\\nb\\n' | sort | uniq -c | awk '{ print $1 $2 }'", shell=True,
                      capture_output=True, text=True, check=True)
assert done.stdout == "1a\n2b\n", done
assert subprocess.check_output([sys.executable, "-c", "print(6 * 7)"], text=True) == "42\n"
assert subprocess.run(["cat"], input=b"x" * 1_000_000, capture_output=True).stdout == b"x" * 1_000_000
assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
try:
    subprocess.run(["sleep", "30"], timeout=0.5)
    raise AssertionError("no timeout")
except subprocess.TimeoutExpired:
    pass
child = subprocess.Popen(["sleep", "30"], start_new_session=True, stdin=subprocess.DEVNULL)
child.terminate()
assert child.wait(10) == -signal.SIGTERM
first = subprocess.Popen(["seq", "100"], stdout=subprocess.PIPE)
second = subprocess.Popen(["tail", "-n", "1"], stdin=first.stdout, stdout=subprocess.PIPE, text=True)
first.stdout.close()
assert second.communicate()[0] == "100\n" and first.wait() == 0
assert subprocess.run(["pwd"], cwd="/tmp", capture_output=True, text=True).stdout == "/tmp\n"
script = "/mnt/data/hello.sh"
open(script, "w").write("#!/bin/sh\necho hello $1\n")
import os
os.chmod(script, 0o755)
assert subprocess.check_output([script, "you"], text=True) == "hello you\n"
