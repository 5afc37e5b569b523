"""The files API against what a guest may plant, what a client may abandon, and its own limits."""
from __future__ import annotations

import hashlib
import socket
import time

import pytest

from conftest import MakeDaemon
from support.client import BOUNDARY, GENERATION_1, LATEST, TOKEN, Client, multipart
from support.processes import wait_until

UPLOAD_BYTES_MAX = 128 * 1024 * 1024

PLANTED = {
    "link to a host file": "os.symlink('/etc/passwd', 'planted')",
    "link out of the directory": "os.symlink('../../usr/bin/python3', 'planted')",
    "link to a file inside": "open('real', 'w').write('x'); os.symlink('real', 'planted')",
    "link to itself": "os.symlink('planted', 'planted')",
    "link to its own descriptors": "os.symlink('/proc/self/fd/0', 'planted')",
    "FIFO": "os.mkfifo('planted')",
    "socket": "import socket; socket.socket(socket.AF_UNIX).bind('planted')",
    "hard link": "open('real', 'w').write('x'); os.link('real', 'planted')",
    "directory": "os.mkdir('planted')",
}


@pytest.mark.parametrize("what", PLANTED)
def test_only_regular_files_with_one_link_are_read(session: Client, what: str) -> None:
    session.run(f"import os\n{PLANTED[what]}")
    started = time.monotonic()
    answer = session.download("planted")
    assert 400 <= answer.status < 500, f"{what}: {answer.status} {answer.text[:200]}"
    generation_1 = session.request("GET", session.target("files/content/planted", GENERATION_1))
    assert 400 <= generation_1.status < 500
    assert session.request("GET", session.target("files")).status == 200
    assert session.request("GET", session.target("files", recursive="true")).status == 200
    assert time.monotonic() - started < 10, f"{what} held the files API up"
    assert b"root:" not in answer.body


@pytest.mark.parametrize("what", [name for name in PLANTED if name != "directory"])
def test_what_is_planted_can_be_removed(session: Client, what: str) -> None:
    session.run(f"import os\n{PLANTED[what]}")
    assert session.delete_file("planted").status == 204
    assert "planted" not in session.file_names()


@pytest.mark.parametrize("what", ["link to a host file", "link to a file inside", "FIFO", "socket", "hard link"])
def test_an_upload_replaces_what_is_planted_and_follows_nothing(session: Client, what: str) -> None:
    session.run(f"import os\n{PLANTED[what]}")
    answer = session.upload("planted", b"uploaded")
    if answer.status == 200:
        assert session.download("planted").body == b"uploaded"
    else:
        assert 400 <= answer.status < 500
    assert session.run("import os\nprint(open('real').read() if os.path.exists('real') else 'x')") == "x\n"


def test_a_directory_link_on_the_way_is_not_followed(session: Client) -> None:
    session.run("import os\nos.mkdir('/tmp/outside'); os.symlink('/tmp/outside', 'way')\nopen('/tmp/outside/f', 'w').write('x');")
    assert session.upload("g", b"y", path="way").status in (400, 404, 409)
    assert session.request("GET", session.target("files/f/content", path="way")).status in (400, 404)
    assert session.request("GET", session.target("files", path="way")).status in (400, 404)
    assert session.run("import os; print(os.listdir('/tmp/outside'))") == "['f']\n"


def test_a_directory_link_that_stays_inside_is_not_followed_either(session: Client) -> None:
    """No other layer would stop it."""
    session.run("import os\nos.mkdir('real'); os.symlink('real', 'way')\nopen('real/f', 'w').write('x');")
    assert session.request("GET", session.target("files/f/content", path="real")).status == 200
    assert session.request("GET", session.target("files/f/content", path="way")).status in (400, 404)
    assert session.upload("g", b"y", path="way").status in (400, 404, 409)
    assert session.run("import os; print(os.listdir('real'))") == "['f']\n"


def test_a_file_without_permissions(session: Client) -> None:
    session.run("import os\nopen('locked', 'w').write('x'); os.chmod('locked', 0)")
    assert session.download("locked").status in (200, 400, 403, 404)
    assert session.delete_file("locked").status == 204


def test_names_that_are_not_text_are_listed_all_the_same(session: Client) -> None:
    session.run("open(b'/mnt/data/\\xff\\xfe', 'w').close(); open('/mnt/data/new\\nline', 'w').close()")
    names = session.file_names()
    assert len(names) == 2 and "new\nline" in names


def test_a_directory_that_is_full_of_names(session: Client) -> None:
    session.run("for i in range(15000):\n    open(f'/mnt/data/{i:05}', 'w').close()")
    answer = session.request("GET", session.target("files"))
    assert answer.status == 200 and len(answer.json["value"]) >= 1000
    assert session.execute("1 + 1").value == 2


def test_a_deep_tree(session: Client) -> None:
    session.run("import os\nfor _ in range(1500):\n    os.mkdir('d'); os.chdir('d')\nopen('deep', 'w').close(); os.chdir('/mnt/data')")
    assert session.request("GET", session.target("files", recursive="true")).status in (200, 400, 507)
    assert session.file_names() == ["d"]


def test_a_file_that_grows_and_shrinks_while_it_is_read(session: Client) -> None:
    session.run("import os, threading, time\nopen('moving', 'wb').write(b'x' * (8 << 20))\n"
                "def move():\n    for i in range(400):\n        os.truncate('moving', (i % 2) * (8 << 20)); time.sleep(0.001)\n"
                "threading.Thread(target=move).start()")
    with session.another(session.identifier) as reader:
        for _ in range(10):
            try:
                reader.download("moving")
            except OSError:
                pass
            except Exception as error:  # a length that could not be kept ends the connection
                assert type(error).__name__ in ("IncompleteRead", "RemoteDisconnected"), error
    assert session.execute("1 + 1").value == 2


# ---- uploads that do not end ----

def begin_upload(session: Client, filename: str, sent: int, promised: int) -> socket.socket:
    head = (f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\r\n").encode()
    connection = socket.create_connection(("127.0.0.1", session.port), timeout=20)
    connection.sendall(f"POST {session.target('files')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\n"
                       f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {promised}\r\n\r\n".encode())
    connection.sendall(head + b"x" * sent)
    return connection


def free_bytes(session: Client) -> int:
    return int(session.run("import os\ns = os.statvfs('/mnt/data'); print(s.f_bfree * s.f_bsize)"))


def test_an_abandoned_upload_leaves_nothing(session: Client) -> None:
    before = free_bytes(session)
    connection = begin_upload(session, "half.bin", 5 << 20, 50 << 20)
    assert wait_until(lambda: free_bytes(session) < before - (1 << 20)), "nothing arrived"
    assert session.file_names() == [], "an unfinished upload can be seen"
    assert session.run("import os; print(os.listdir('/mnt/data'))") == "[]\n"
    connection.close()
    assert wait_until(lambda: free_bytes(session) > before - (1 << 20)), "its bytes are still held"
    assert session.file_names() == []


def test_an_abandoned_upload_keeps_the_old_file(session: Client) -> None:
    session.upload("report", b"old")
    begin_upload(session, "report", 1 << 20, 2 << 20).close()
    time.sleep(0.2)
    assert session.download("report").body == b"old"


def test_deleting_the_session_ends_its_uploads(session: Client) -> None:
    connection = begin_upload(session, "half.bin", 1 << 20, 50 << 20)
    session.delete_session()
    connection.close()
    assert session.file_names() == []


# ---- limits ----

def pieces_of_upload(length: int) -> tuple[list[bytes], int, str]:
    """A body whose file part has that length, in pieces of a mebibyte."""
    body, content_type = multipart("big.bin", b"@")
    head, tail = body.split(b"@")
    piece = bytes(range(256)) * 4096
    pieces = [piece] * (length // len(piece)) + [piece[:length % len(piece)]]
    return [head, *pieces, tail], len(head) + length + len(tail), content_type


def test_an_upload_of_128_mebibytes(session: Client) -> None:
    pieces, total, content_type = pieces_of_upload(UPLOAD_BYTES_MAX)
    answer = session.request("POST", session.target("files"), iter(pieces),
                             {"Content-Type": content_type, "Content-Length": str(total)})
    assert answer.status == 200 and answer.json["sizeInBytes"] == UPLOAD_BYTES_MAX, answer.text
    content = session.download("big.bin").body
    wanted = hashlib.sha256(b"".join(pieces[1:-1])).hexdigest()
    assert hashlib.sha256(content).hexdigest() == wanted


@pytest.mark.parametrize("version, path", [(LATEST, "files"), (GENERATION_1, "files/upload")])
def test_one_byte_more_is_refused_and_leaves_nothing(session: Client, version: str, path: str) -> None:
    pieces, total, content_type = pieces_of_upload(UPLOAD_BYTES_MAX + 1)
    try:
        answer = session.request("POST", session.target(path, version), iter(pieces),
                                 {"Content-Type": content_type, "Content-Length": str(total)})
    except (BrokenPipeError, ConnectionResetError):
        pytest.fail("the connection ended before the answer")
    assert answer.status == 413 and answer.error_code == "RequestEntityTooLarge"
    assert session.file_names() == []


def test_one_byte_more_in_chunks(session: Client) -> None:
    pieces, _, content_type = pieces_of_upload(UPLOAD_BYTES_MAX + 1)
    answer = session.request("POST", session.target("files"), iter(pieces), {"Content-Type": content_type})
    assert answer.status == 413 and session.file_names() == []


def test_an_upload_into_a_full_directory_is_507(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(dataBytes=4 * 1024 * 1024)
    with daemon.client() as client:
        assert client.upload("first", b"x" * (2 << 20)).status == 200
        answer = client.upload("second", b"x" * (3 << 20))
        assert answer.status == 507 and answer.error_code == "InsufficientStorage"
        assert client.file_names() == ["first"]
        assert client.upload("third", b"x" * (1 << 20)).status == 200


def test_a_json_body_at_its_limit(session: Client) -> None:
    limit = 16 * 1024 * 1024
    frame = len('{"code":""}')
    exact = b'{"code":"' + b"#" * (limit - frame) + b'"}'
    headers = {"Content-Type": "application/json"}
    assert session.request("POST", session.target("executions"), exact, headers).status == 200
    answer = session.request("POST", session.target("executions"), exact[:-2] + b'#"}', headers)
    assert answer.status == 413 and answer.error_code == "RequestEntityTooLarge"
    assert session.execute("1 + 1").value == 2
