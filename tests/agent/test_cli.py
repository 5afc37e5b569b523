"""sandpool as people and scripts see it: output, exit status, files, signals."""
from __future__ import annotations

import base64
import json
import os
import pty
import shutil
import signal
import ssl
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest

from agent.stub_pool import Answer, StubPool, execution, refusal

TREE = Path(__file__).resolve().parents[2]
SANDPOOL = Path(os.environ.get("SANDPOOL_BUILD", TREE / "build")).resolve() / "bin" / "sandpool"
DEADLINE_S = 20
PNG = b"\x89PNG\r\n\x1a\n not really"

MakePool = Callable[[dict[str, Answer]], StubPool]
Result = subprocess.CompletedProcess[bytes]


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    if not SANDPOOL.exists():
        pytest.skip(f"{SANDPOOL} is not built (scripts/build)")
    pools: list[StubPool] = []

    def make(routes: dict[str, Answer]) -> StubPool:
        pools.append(StubPool(routes))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture(autouse=True)
def in_own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SANDPOOL_TOKEN", "POOL_MANAGEMENT_ENDPOINT",
                 "AZURE_DYNAMIC_SESSIONS_POOL_MANAGEMENT_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def run(pool: StubPool | None, *arguments: str, stdin: bytes = b"", **environment: str) -> Result:
    settings = dict(os.environ)
    if pool is not None:
        settings["POOL_MANAGEMENT_ENDPOINT"] = pool.endpoint
    return subprocess.run([str(SANDPOOL), *arguments], input=stdin, capture_output=True,
                          timeout=DEADLINE_S, env=settings | environment, check=False)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---- exec ----

def test_output_comes_first_and_the_value_after_it(make_pool: MakePool) -> None:
    pool = make_pool({"POST /executions": execution("out", "warning\n", 42)})
    result = run(pool, "exec", "-c", "print('out', end=''); 42")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"out\n42\n", b"warning\n")


def test_refusals_are_told_a_line_each(make_pool: MakePool) -> None:
    answer = execution("out\n", "warning\n")
    refusals = [{"kind": "syscall", "name": "mount", "count": 2},
                {"kind": "network", "host": "example.com\x1b[2J", "port": 443, "count": 1},
                {"kind": "file", "path": "/etc/x", "error": "EROFS", "count": 1},
                {"kind": "tomorrow", "what": "x"}]
    answer.body = json.dumps(json.loads(answer.body) | {"sandpool": {"refusals": refusals}}).encode()
    result = run(make_pool({"POST /executions": answer}), "exec", "-c", "x")
    assert (result.returncode, result.stdout) == (0, b"out\n")
    assert result.stderr.decode() == (
        "warning\n"
        "sandpool: refused: mount(): not allowed in this session\n"
        "sandpool: refused: example.com\\x1b[2J: no network in this session\n"
        "sandpool: refused: /etc/x: EROFS\n")


@pytest.mark.parametrize("value, shown", [
    ("", b""), (None, b""), ("'abc'", b"'abc'\n"), ([1, 2], b"[1, 2]\n"),
    (10 ** 30, b"1" + b"0" * 30 + b"\n"), ("   a\n0  1", b"   a\n0  1\n"),
])
def test_values_are_shown_as_a_notebook_shows_them(make_pool: MakePool, value: object,
                                                   shown: bytes) -> None:
    pool = make_pool({"POST /executions": execution(value=value)})
    assert run(pool, "exec", "-c", "x").stdout == shown


@pytest.mark.parametrize("arguments", [["-"], ["program.py"], []])
def test_a_program_comes_from_a_file_or_standard_input(make_pool: MakePool, arguments: list[str]) -> None:
    pool = make_pool({"POST /executions": execution()})
    program = "# caf\u00e9\nprint('hi')\n"
    Path("program.py").write_bytes(b"\xef\xbb\xbf" + program.encode())
    assert run(pool, "exec", *arguments, stdin=program.encode()).returncode == 0
    assert json.loads(pool.asked[0].body)["code"] == program


def test_a_session_of_its_own_is_removed(make_pool: MakePool) -> None:
    pool = make_pool({"POST /executions": execution()})
    run(pool, "exec", "-c", "1")
    run(pool, "exec", "-c", "1")
    made = [asked.query["identifier"] for asked in pool.requests("POST")]
    removed = [asked.query["identifier"] for asked in pool.requests("DELETE")]
    assert made == removed and made[0] != made[1]


def test_a_named_session_is_kept(make_pool: MakePool) -> None:
    pool = make_pool({"POST /executions": execution()})
    run(pool, "exec", "--session", "mine-0001", "-c", "1")
    assert pool.asked[0].query["identifier"] == ["mine-0001"]
    assert pool.requests("DELETE") == []


def test_a_failed_program_is_status_1(make_pool: MakePool) -> None:
    pool = make_pool({"POST /executions": execution("before\n", "KeyError: 'x'", status="Failed")})
    result = run(pool, "exec", "-c", "{}['x']")
    assert (result.returncode, result.stdout, result.stderr) == (1, b"before\n", b"KeyError: 'x'\n")
    assert len(pool.requests("DELETE")) == 1


def test_figures_are_saved_under_free_names(make_pool: MakePool) -> None:
    image = {"type": "image", "format": "png", "base64_data": base64.b64encode(PNG).decode()}
    pool = make_pool({"POST /executions": execution(value=image)})
    for number in (1, 2):
        result = run(pool, "exec", "--output", "charts", "-c", "plot()")
        path = Path(f"charts/figure-{number}.png")
        assert result.returncode == 0 and result.stdout == b""
        assert str(path).encode() in result.stderr
        assert path.read_bytes() == PNG


def test_json_is_the_answer_as_it_came(make_pool: MakePool) -> None:
    answer = execution("a", status="Failed")
    pool = make_pool({"POST /executions": answer})
    result = run(pool, "exec", "--json", "-c", "x")
    assert (result.returncode, result.stdout) == (1, answer.body + b"\n")


def test_the_first_generation_is_spoken_when_asked_for(make_pool: MakePool) -> None:
    answer = {"properties": {"status": "Success", "stdout": "", "stderr": "", "result": 2,
                             "executionResult": 2, "executionTimeInMilliseconds": 1}}
    pool = make_pool({"POST /code/execute": Answer(body=json.dumps(answer).encode())})
    result = run(pool, "exec", "--api-version", "2024-02-02-preview", "-c", "1 + 1")
    assert (result.returncode, result.stdout) == (0, b"2\n")


# ---- failures ----

@pytest.mark.parametrize("status, code, exit_status, hint", [
    (401, "Unauthorized", 4, b"SANDPOOL_TOKEN"),
    (403, "Forbidden", 4, b"Session Executor"),
    (400, "SessionRequestValidationFailed", 4, b""),
    (500, "InternalServerError", 3, b""),
    (503, "ServiceUnavailable", 3, b""),
])
def test_refusals_say_code_and_message(make_pool: MakePool, status: int, code: str, exit_status: int,
                                       hint: bytes) -> None:
    pool = make_pool({"POST /executions": refusal(status, code, "because\x1b[2J")})
    result = run(pool, "exec", "-c", "1")
    assert result.returncode == exit_status
    assert code.encode() in result.stderr and b"because\\x1b[2J" in result.stderr
    assert hint in result.stderr


def test_a_full_pool_is_said_with_its_retry_after(make_pool: MakePool) -> None:
    pool = make_pool({"POST /executions": refusal(429, "SessionPoolMaxConcurrentSessionsReached",
                                                  "full", Retry_After="30")})
    result = run(pool, "exec", "-c", "1")
    assert result.returncode == 4
    assert b"the pool is full" in result.stderr and b"30 seconds" in result.stderr


def test_a_redirect_is_not_followed(make_pool: MakePool) -> None:
    other = make_pool({})
    pool = make_pool({"POST /executions": Answer(307, headers={"Location": other.endpoint})})
    assert run(pool, "exec", "-c", "1").returncode == 3
    assert other.asked == []


def test_a_pool_that_is_not_there_is_status_3() -> None:
    result = run(None, "exec", "-c", "1", "--endpoint", "http://127.0.0.1:1")
    assert result.returncode == 3
    assert b"http://127.0.0.1:1" in result.stderr


@pytest.mark.parametrize("arguments, words", [
    ([], b"Usage"),
    (["dance"], b"dance"),
    (["exec", "-c", "1"], b"POOL_MANAGEMENT_ENDPOINT"),
    (["exec", "-c", "1", "-e", "http://10.0.0.1"], b"--insecure"),
    (["exec", "-c", "1", "-e", "file:///etc"], b"http"),
    (["exec", "-c", "1", "a.py"], b"one program"),
    (["exec", "missing.py", "-e", "http://127.0.0.1:1"], b"missing.py"),
    (["exec", "-c", "1", "--timeout", "0"], b"--timeout"),
    (["exec", "-c", "1", "-s", "abc", "-e", "http://127.0.0.1:1"], b"identifier"),
    (["exec", "-c", "1", "--api-version", "new", "-e", "http://127.0.0.1:1"], b"api-version"),
    (["files", "ls"], b"--session"),
    (["files", "get", "-s", "test-0001"], b"NAME"),
    (["sessions", "rm"], b"sessions"),
])
def test_wrong_usage_is_status_2(arguments: list[str], words: bytes) -> None:
    result = run(None, *arguments)
    assert result.returncode == 2
    assert words in result.stderr


@pytest.mark.parametrize("program", [b"", b"a\0b", b"\xff\xfe"])
def test_what_is_no_program_is_not_sent(make_pool: MakePool, program: bytes) -> None:
    pool = make_pool({})
    assert run(pool, "exec", "-", stdin=program).returncode == 2
    assert pool.asked == []


# ---- credentials ----

def test_the_token_goes_to_the_pool_and_nowhere_else(make_pool: MakePool) -> None:
    pool = make_pool({"POST /executions": refusal(401, "Unauthorized", "no")})
    result = run(pool, "exec", "-c", "1", SANDPOOL_TOKEN="marker-7f3a")
    assert pool.asked[0].headers["Authorization"] == "Bearer marker-7f3a"
    assert b"marker-7f3a" not in result.stdout + result.stderr


def test_another_machine_needs_a_token() -> None:
    result = run(None, "exec", "-c", "1", "-e", "https://pool.invalid/p")
    assert result.returncode == 3
    assert b"SANDPOOL_TOKEN" in result.stderr


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-keyout", "key.pem", "-out", "certificate.pem", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain("certificate.pem", "key.pem")
    pool = StubPool({"POST /executions": execution()}, tls)
    result = run(pool, "exec", "-c", "1")
    pool.close()
    assert result.returncode == 3 and b"certificate" in result.stderr
    assert pool.asked == []


def test_a_file_beyond_the_limit_is_not_sent(make_pool: MakePool) -> None:
    pool = make_pool({})
    with Path("large").open("wb") as large:
        large.truncate(128 * 1024 * 1024 + 1)
    result = run(pool, "files", "put", "-s", "test-0001", "large")
    assert result.returncode == 1 and b"134217728" in result.stderr
    assert pool.asked == []


# ---- files ----

LISTING = [
    {"name": "b\x1b]0;owned\x07\u202etxt.exe", "type": "file", "sizeInBytes": 7,
     "lastModifiedAt": "2024-11-11T09:05:02.4865293Z"},
    {"name": "a", "type": "directory", "sizeInBytes": 4096,
     "lastModifiedAt": "2024-11-11T09:05:02Z"},
]


def test_files_are_listed_as_a_table_with_safe_names(make_pool: MakePool) -> None:
    pool = make_pool({"GET /files": Answer(body=json.dumps({"value": LISTING}).encode())})
    result = run(pool, "files", "ls", "--session", "test-0001")
    assert result.stdout.decode().splitlines() == [
        "SIZE  MODIFIED (UTC)       NAME",
        "4096  2024-11-11 09:05:02  a/",
        "   7  2024-11-11 09:05:02  b\\x1b]0;owned\\x07\\u202etxt.exe",
    ]


def test_files_are_sent(make_pool: MakePool) -> None:
    stored = {"name": "x", "type": "file", "sizeInBytes": 5, "lastModifiedAt": "2024-11-11T09:05:02Z"}
    pool = make_pool({"POST /files": Answer(body=json.dumps(stored).encode())})
    Path("one.bin").write_bytes(b"\0\1\2\3\4")
    Path("two.bin").write_bytes(b"fives")
    result = run(pool, "files", "put", "-s", "test-0001", "--to", "in/here", "one.bin",
                 str(Path("two.bin").resolve()))
    assert result.returncode == 0
    assert [asked.query["path"] for asked in pool.asked] == [["in/here"]] * 2
    assert b'filename="one.bin"' in pool.asked[0].body and b"\0\1\2\3\4" in pool.asked[0].body
    assert b'filename="two.bin"' in pool.asked[1].body


def test_a_file_that_was_stored_in_part_is_noticed(make_pool: MakePool) -> None:
    stored = {"name": "x", "type": "file", "sizeInBytes": 4, "lastModifiedAt": "2024-11-11T09:05:02Z"}
    pool = make_pool({"POST /files": Answer(body=json.dumps(stored).encode())})
    Path("one.bin").write_bytes(b"fives")
    assert run(pool, "files", "put", "-s", "test-0001", "one.bin").returncode == 1


def test_only_regular_files_are_sent(make_pool: MakePool) -> None:
    pool = make_pool({})
    os.mkfifo("fifo")
    assert run(pool, "files", "put", "-s", "test-0001", "fifo", ".").returncode != 0
    assert pool.asked == []


def test_a_file_is_fetched_under_its_base_name_and_replaces_nothing(make_pool: MakePool) -> None:
    pool = make_pool({"GET /files/x.txt/content": Answer(body=b"\x1b\0data")})
    fetch = ["files", "get", "-s", "test-0001", "/mnt/data/sub/x.txt"]
    assert run(pool, *fetch).returncode == 0
    assert pool.asked[0].query["path"] == ["sub"]
    assert Path("x.txt").read_bytes() == b"\x1b\0data"

    Path("x.txt").write_text("mine")
    assert run(pool, *fetch).returncode == 1
    assert Path("x.txt").read_text() == "mine"
    assert run(pool, *fetch, "--force").returncode == 0
    assert Path("x.txt").read_bytes() == b"\x1b\0data"
    assert run(pool, *fetch, "-o", "-").stdout == b"\x1b\0data"
    assert run(pool, *fetch, "-o", "y.txt").returncode == 0
    assert sorted(os.listdir()) == ["x.txt", "y.txt"]


@pytest.mark.parametrize("answer, exit_status", [
    (Answer(body=b"half", promised_bytes=8), 3),
    (refusal(404, "FileNotFound", "no file"), 4),
])
def test_a_download_that_fails_leaves_nothing(make_pool: MakePool, answer: Answer,
                                              exit_status: int) -> None:
    pool = make_pool({"GET /files/x.txt/content": answer})
    assert run(pool, "files", "get", "-s", "test-0001", "x.txt").returncode == exit_status
    assert os.listdir() == []


def test_files_and_sessions_are_removed(make_pool: MakePool) -> None:
    pool = make_pool({"DELETE /files/a.txt": Answer(204)})
    result = run(pool, "files", "rm", "-s", "test-0001", "a.txt", "missing.txt")
    assert result.returncode == 4
    assert run(pool, "sessions", "rm", "test-0001", "test-0002").returncode == 0
    assert [asked.query["identifier"][0] for asked in pool.asked] == [
        "test-0001", "test-0001", "test-0001", "test-0002"]


# ---- signals and terminals ----

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_removes_its_session(make_pool: MakePool, number: signal.Signals) -> None:
    pool = make_pool({"POST /executions": Answer(waits=True)})
    process = subprocess.Popen([str(SANDPOOL), "exec", "-c", "spin()", "-e", pool.endpoint],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert pool.arrived.wait(DEADLINE_S)
    process.send_signal(number)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == -number
    assert [asked.query for asked in pool.requests("DELETE")] == [
        {**pool.asked[0].query, "api-version": ["2025-10-02-preview"]}]


def test_a_signal_does_not_stop_the_removal_but_a_second_one_does(make_pool: MakePool) -> None:
    for signals in (1, 2):
        pool = make_pool({"POST /executions": execution(),
                          "DELETE /session": Answer(204, waits=True)})
        process = subprocess.Popen([str(SANDPOOL), "exec", "-c", "1", "-e", pool.endpoint],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(lambda: len(pool.requests("DELETE")) == 1)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        if signals == 2:
            process.send_signal(signal.SIGINT)
        else:
            pool.closing.set()
        _, errors = process.communicate(timeout=DEADLINE_S)
        assert (process.returncode, errors) == (-signal.SIGINT, b"")


def test_a_reader_that_goes_away_is_no_news(make_pool: MakePool) -> None:
    pool = make_pool({"GET /files/x/content": Answer(body=b"x" * 1000000),
                      "GET /files": Answer(body=json.dumps({"value": LISTING * 5000}).encode())})
    for arguments in (["get", "x", "-o", "-"], ["ls"]):
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run([str(SANDPOOL), "files", *arguments, "-s", "test-0001", "-e",
                                 pool.endpoint], stdout=writer, stderr=subprocess.PIPE,
                                timeout=DEADLINE_S, check=False)
        os.close(writer)
        assert result.returncode == 1 and result.stderr == b""


def test_an_interrupted_download_leaves_nothing(make_pool: MakePool) -> None:
    pool = make_pool({"GET /files/x/content": Answer(waits=True)})
    process = subprocess.Popen([str(SANDPOOL), "files", "get", "-s", "test-0001", "x", "-e",
                                pool.endpoint])
    assert pool.arrived.wait(DEADLINE_S)
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE_S) == -signal.SIGINT
    assert os.listdir() == []


def on_terminal(pool: StubPool, *arguments: str) -> bytes:
    """What a terminal gets to see."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([str(SANDPOOL), *arguments, "-e", pool.endpoint], stdout=follower,
                               stderr=follower, stdin=subprocess.DEVNULL)
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:  # the other end is closed
            piece = b""
        if not piece:
            break
        shown += piece
    os.close(leader)
    assert process.wait(DEADLINE_S) == 0
    return shown


def test_a_terminal_gets_no_control_characters(make_pool: MakePool) -> None:
    hostile = "\x1b]52;c;cm0gLXJm\x07a\tb\n\u202egnp.exe\x9b1m"
    pool = make_pool({"POST /executions": execution(hostile, hostile, hostile),
                      "GET /files/x/content": Answer(body=hostile.encode())})
    for arguments in (["exec", "-c", "1"], ["exec", "--json", "-c", "1"],
                      ["files", "get", "-s", "test-0001", "x", "-o", "-"]):
        shown = on_terminal(pool, *arguments)
        assert not set(shown) & (set(range(32)) - {9, 10, 13} | {127})
        assert "\u202e".encode() not in shown and "\x9b".encode() not in shown


def test_a_pipe_gets_the_bytes_as_they_are(make_pool: MakePool) -> None:
    pool = make_pool({"POST /executions": execution("\x1b[31mred\r")})
    assert run(pool, "exec", "-c", "1").stdout == b"\x1b[31mred\r"
