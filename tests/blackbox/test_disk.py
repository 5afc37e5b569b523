"""Space and files of a session: what it gets, that it gets it back, and that hostile trees hold up nobody else."""
from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Callable, Iterator

import pytest

from conftest import MakeDaemon
from support.client import Client
from support.daemon import BUILD, Daemon, pool_document, require_daemon, scale
from support.processes import wait_until

DATA_BYTES, DATA_INODES = 8 << 20, 200
MANY_FILES, MANY_INODES = 100_000, 120_000
DEPTH = 3000
GENEROUS_S = 120

FILL = """
import errno, os
def fill(path):
    written = 0
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                written += file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
    return written
def make(pattern, make_one):
    made = 0
    try:
        while True:
            make_one(pattern % made)
            made += 1
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    return made
def free(path="/mnt/data"):
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize, state.f_ffree
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Sessions with little space."""
    require_daemon()
    daemon = Daemon(tmp_path_factory.mktemp("small"),
                    pool_document(scale(20, 1), dataBytes=DATA_BYTES, dataInodes=DATA_INODES))
    yield daemon
    daemon.stop()


@pytest.fixture
def filler(small: Daemon) -> Iterator[Client]:
    with small.client() as client:
        client.run(FILL)
        yield client
        client.delete_session()


def test_the_quota_of_bytes_is_exact_and_comes_back(filler: Client) -> None:
    filler.run("start = free()\nassert start[0] == %d, start" % DATA_BYTES)
    for _ in range(4):
        filler.run("assert fill('/mnt/data/a') == start[0] and free()[0] == 0, free()\n"
                   "os.remove('/mnt/data/a')\nassert free() == start, free()")


def test_what_is_cut_off_or_overwritten_counts_once(filler: Client) -> None:
    filler.run("start = free()\nfill('/mnt/data/a')\nos.truncate('/mnt/data/a', 4096)\n"
               "assert free()[0] == start[0] - 4096, free()\n"
               "assert fill('/mnt/data/b') == start[0] - 4096\nos.rename('/mnt/data/b', '/mnt/data/a')\n"
               "assert free()[0] == 4096, free()\nassert fill('/mnt/data/a') == start[0]")


def test_space_of_a_removed_file_comes_back_when_it_is_closed(filler: Client) -> None:
    filler.run("start = free()\nfill('/mnt/data/a')\nkept = open('/mnt/data/a')\nos.remove('/mnt/data/a')\n"
               "assert free()[0] == 0\nkept.close()\nassert free() == start and fill('/mnt/data/b') == start[0]")


def test_the_files_api_sees_the_same_quota(filler: Client) -> None:
    assert filler.upload("first", b"x" * (DATA_BYTES // 2)).status == 200
    filler.run("assert free()[0] == %d, free()\nassert fill('/mnt/data/a') == %d"
               % (DATA_BYTES // 2, DATA_BYTES // 2))
    answer = filler.upload("second", b"x")
    assert answer.status == 507 and answer.error_code == "InsufficientStorage"
    assert sorted(filler.file_names()) == ["a", "first"]
    assert filler.delete_file("first").status in (200, 204)
    filler.run("assert free()[0] == %d, free()" % (DATA_BYTES // 2))


def test_the_number_of_files_is_limited_and_comes_back(filler: Client) -> None:
    filler.run("start = free()[1]\nassert start == %d - 1, start" % DATA_INODES)
    for make_one in ("lambda path: open(path, 'w').close()", "os.mkdir", "lambda path: os.symlink('x', path)"):
        filler.run(f"assert make('/mnt/data/%d', {make_one}) == start and free()[1] == 0\n"
                   "import shutil\nfor name in os.listdir('/mnt/data'):\n"
                   "    path = '/mnt/data/' + name\n"
                   "    os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)\n"
                   "assert free()[1] == start, free()")


def test_an_upload_without_a_file_left_is_refused_and_leaves_nothing(filler: Client) -> None:
    filler.run("made = make('/mnt/data/%d', os.mkdir)")
    answer = filler.upload("one-more", b"x")
    assert answer.status == 507 and answer.error_code == "InsufficientStorage"
    assert filler.execute("len(os.listdir('/mnt/data')) == made and free()[0]").value == DATA_BYTES


@pytest.mark.parametrize("path, size", [("/tmp", 128 << 20), ("/dev/shm", 64 << 20), ("/home/session", 32 << 20)])
def test_the_other_places_have_a_quota_too(filler: Client, path: str, size: int) -> None:
    filler.run(f"start = free('{path}')\nassert 0 < start[0] <= {size} and 0 < start[1] <= 4096, start\n"
               f"limit = {DATA_BYTES}\nparts = 0\n"
               "try:\n"
               "    while True:\n"
               f"        with open('{path}/part%d' % parts, 'wb') as file:\n"
               "            file.write(bytes(1 << 20))\n"
               "        parts += 1\n"
               "except OSError as error:\n"
               "    assert error.errno == errno.ENOSPC, error\n"
               "assert parts == start[0] >> 20, parts\n"
               f"for name in os.listdir('{path}'):\n"
               f"    if name.startswith('part'): os.remove('{path}/' + name)\n"
               f"assert free('{path}') == start, free('{path}')")


# ---- what must not slow others ----


@pytest.fixture
def roomy(make_daemon: MakeDaemon) -> Daemon:
    return make_daemon(scale(20, 2), dataInodes=MANY_INODES)


def answers_meanwhile(daemon: Daemon, work: Callable[[], None]) -> int:
    """How often another session answered while the work went on. Each answer has a deadline."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # pylint: disable=broad-except
            failures.append(error)

    worker = threading.Thread(target=run)
    answered = 0
    with daemon.client() as other:
        assert other.execute("x = 1").succeeded
        worker.start()
        while worker.is_alive() or answered == 0:
            assert other.execute("x").value == 1
            assert other.file_names() == []
            answered += 1
        worker.join()
        other.delete_session()
    if failures:
        raise failures[0]
    return answered


def test_a_hundred_thousand_files_hold_up_nobody(roomy: Daemon) -> None:
    with roomy.client() as client:
        client.run(f"import os\nfor i in range({MANY_FILES}):\n    os.close(os.open(f'/mnt/data/{{i}}', os.O_CREAT | os.O_WRONLY))")

        def list_and_remove() -> None:
            with client.another(client.identifier) as same:
                answer = same.request("GET", same.target("files"), timeout_s=GENEROUS_S)
                assert answer.status == 200 and len(answer.json["value"]) == MANY_FILES
                assert same.delete_session().status in (200, 204)

        assert answers_meanwhile(roomy, list_and_remove) > 0
    with roomy.client() as fresh:
        assert fresh.execute("6 * 7").value == 42


def test_a_deep_tree_holds_up_nobody(roomy: Daemon) -> None:
    with roomy.client() as client:
        client.run(f"import os\nos.chdir('/mnt/data')\nfor _ in range({DEPTH}):\n    os.mkdir('d')\n    os.chdir('d')\n"
                   "open('deep', 'w').close()\nos.chdir('/mnt/data')")

        def list_and_remove() -> None:
            with client.another(client.identifier) as same:
                answer = same.request("GET", same.target("files", recursive="true"), timeout_s=GENEROUS_S)
                # What is too deep for a path is left out.
                assert answer.status == 200 and 1000 < len(answer.json["value"]) < DEPTH
                assert same.execute("__import__('shutil').rmtree('d', ignore_errors=True)").succeeded
                assert same.delete_session().status in (200, 204)

        assert answers_meanwhile(roomy, list_and_remove) > 0


def test_huge_sparse_files_hold_up_nobody(roomy: Daemon) -> None:
    with roomy.client() as client:
        client.run("import os\nfor size in (1 << 62, 1 << 50, 600 << 20, 500 << 20):\n"
                   "    with open('/mnt/data/%d' % size, 'wb') as file:\n"
                   "        try:\n            os.truncate(file.fileno(), size)\n        except OSError:\n            pass\n"
                   "assert os.stat('/mnt/data/%d' % (500 << 20)).st_size == 500 << 20")

        def list_and_download() -> None:
            with client.another(client.identifier) as same:
                assert len(same.file_names()) == 4
                answer = same.download(str(500 << 20))
                assert answer.status == 200 and len(answer.body) == 500 << 20 and not answer.body.strip(b"\0")
                assert same.execute("int(os.statvfs('/mnt/data').f_bavail > 0)").value == 1

        assert answers_meanwhile(roomy, list_and_download) > 0


# ---- the state directory ----


FULL_DISK = """mount -t tmpfs -o size=64k,mode=755 tmpfs "$1" && mkdir "$1/state" &&
{ head -c 100000 /dev/zero >"$1/filler" 2>/dev/null; exec "$2" --listen 127.0.0.1:0 --listen-https none --state-dir "$1/state"; }"""


def test_a_state_directory_on_a_full_disk_gives_one_clear_message(tmp_path: Path) -> None:
    require_daemon()
    before = set(Path("/sys/fs/cgroup").glob("**/sandpool-*/broker"))
    done = subprocess.run(["unshare", "--mount", "sh", "-c", FULL_DISK, "sh", tmp_path, BUILD / "bin" / "sandboxd"],
                          capture_output=True, text=True, timeout=GENEROUS_S)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "No space left on device" in line]
    assert len(said) == 1 and "--state-dir" in said[0], done.stderr
    assert "listening" not in done.stderr
    assert wait_until(lambda: not set(Path("/sys/fs/cgroup").glob("**/sandpool-*/broker")) - before)
