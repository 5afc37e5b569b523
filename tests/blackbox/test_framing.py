"""Requests that two servers in a row could read differently, byte by byte.

Every row is followed by another request on the same connection. Where the end of a request is in doubt,
that one must not be answered: it may be somebody's body. libmicrohttpd answers some rows itself, in HTML.
"""
from __future__ import annotations

import re
import socket
from typing import Iterator, NamedTuple

import pytest

from support.client import LATEST, TOKEN, Client
from support.daemon import Daemon

ANSWER_DEADLINE_S = 20
BODY = '{"code":"print(1)"}'  # 19 or 0x13 bytes
LENGTH = "Content-Length: 19\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
CHUNKS = f"13\r\n{BODY}\r\n0\r\n\r\n"
BEHIND = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

# The statuses that come back until the connection ends. 404 is the answer to the request behind.
SERVED = (200, 404)
LAST = (200,)
REFUSED = (400,)
REFUSED_TWICE = (400, 400)  # by libmicrohttpd, which closes then
TOO_LARGE_TWICE = (413, 413)
CLOSED = ()


class Row(NamedTuple):
    """What is sent, and how it is answered."""

    what: str
    request: str
    statuses: tuple[int, ...]


def post(headers: str, body: str = BODY, host: str = "Host: localhost\r\n", version: str = "HTTP/1.1",
         target: str = "TARGET") -> str:
    return (f"POST {target} {version}\r\n{host}Authorization: {TOKEN}\r\n"
            f"Content-Type: application/json\r\n{headers}\r\n{body}")


def get(headers: str = "", host: str = "Host: localhost\r\n", line: str = "GET /health HTTP/1.1\r\n") -> str:
    return f"{line}{host}{headers}\r\n"


def chunks(body: str) -> str:
    return post(CHUNKED, body)


ROWS = [
    # What is fine: the request behind it is answered too, or the connection says that it ends.
    Row("a length", post(LENGTH), SERVED),
    Row("a length with a zero in front", post("Content-Length: 019\r\n"), SERVED),
    Row("chunks", chunks(CHUNKS), LAST),
    Row("chunks in another case", post("transfer-encoding: Chunked\r\n", CHUNKS), LAST),
    Row("a body of a GET", get("Content-Length: 3\r\n") + "abc", SERVED),
    Row("an empty line before the request line", "\r\n" + get(), SERVED),
    Row("a tab behind the colon", get("A:\tb\r\n"), SERVED),
    Row("no blank behind the colon", get("A:b\r\n"), SERVED),

    # Both framings.
    Row("CL.TE", post(LENGTH + CHUNKED, CHUNKS), REFUSED),
    Row("TE.CL", post(CHUNKED + LENGTH, CHUNKS), REFUSED),
    Row("CL.TE with a request in the body",
        post("Content-Length: 6\r\n" + CHUNKED, "0\r\n\r\nX"), REFUSED),
    Row("TE.CL with a request in the chunk",
        post("Content-Length: 4\r\n" + CHUNKED, f"3b\r\n{BEHIND}\r\n0\r\n\r\n"), REFUSED),
    Row("CL.0", post("Content-Length: 0\r\n" + CHUNKED, CHUNKS), REFUSED),
    Row("both in a GET", get(LENGTH + CHUNKED) + CHUNKS, REFUSED),

    # Transfer-Encoding in disguise.
    Row("TE.TE, the same", post(CHUNKED + CHUNKED, CHUNKS), REFUSED),
    Row("TE.TE, chunked and identity", post(CHUNKED + "Transfer-Encoding: identity\r\n", CHUNKS), REFUSED),
    Row("TE.TE, identity and chunked", post("Transfer-Encoding: identity\r\n" + CHUNKED, CHUNKS), REFUSED),
    Row("TE.TE, chunked and cow", post(CHUNKED + "Transfer-encoding: cow\r\n", CHUNKS), REFUSED),
    Row("xchunked", post("Transfer-Encoding: xchunked\r\n", CHUNKS), REFUSED),
    Row("chunkedx", post("Transfer-Encoding: chunkedx\r\n", CHUNKS), REFUSED),
    Row("quoted", post('Transfer-Encoding: "chunked"\r\n', CHUNKS), REFUSED),
    Row("identity", post("Transfer-Encoding: identity\r\n", CHUNKS), REFUSED),
    Row("identity with a length", post("Transfer-Encoding: identity\r\n" + LENGTH), REFUSED),
    Row("gzip", post("Transfer-Encoding: gzip\r\n", CHUNKS), REFUSED),
    Row("gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", CHUNKS), REFUSED),
    Row("chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", CHUNKS), REFUSED),
    Row("chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", CHUNKS), REFUSED),
    Row("a comma behind", post("Transfer-Encoding: chunked,\r\n", CHUNKS), REFUSED),
    Row("a comma before", post("Transfer-Encoding: ,chunked\r\n", CHUNKS), REFUSED),
    Row("a parameter", post("Transfer-Encoding: chunked;a=b\r\n", CHUNKS), REFUSED),
    Row("an empty encoding", post("Transfer-Encoding:\r\n", CHUNKS), REFUSED),
    Row("an empty encoding with a length", post("Transfer-Encoding:\r\n" + LENGTH), REFUSED),
    Row("two blanks before the encoding", post("Transfer-Encoding:  chunked\r\n", CHUNKS), LAST),
    Row("a tab before the encoding", post("Transfer-Encoding:\tchunked\r\n", CHUNKS), LAST),
    Row("a vertical tab before the encoding", post("Transfer-Encoding:\x0bchunked\r\n", CHUNKS), REFUSED),
    Row("a blank behind the encoding", post("Transfer-Encoding: chunked \r\n", CHUNKS), REFUSED),
    Row("a blank before the colon", post("Transfer-Encoding : chunked\r\n", CHUNKS), REFUSED),
    Row("a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", CHUNKS), REFUSED),
    Row("a blank before the colon, and a length", post("Transfer-Encoding : chunked\r\n" + LENGTH, CHUNKS), REFUSED),
    Row("a blank before the name", post(" Transfer-Encoding: chunked\r\n" + LENGTH), REFUSED),
    Row("a tab before the name", post("\tTransfer-Encoding: chunked\r\n" + LENGTH), REFUSED),
    Row("folded", post("Transfer-Encoding:\r\n chunked\r\n", CHUNKS), REFUSED),
    Row("folded with a tab", post("Transfer-Encoding:\r\n\tchunked\r\n", CHUNKS), REFUSED),
    Row("hidden in a folded line", post("A: b\r\n Transfer-Encoding: chunked\r\n" + LENGTH), REFUSED),
    Row("behind a bare CR", post("A: b\rTransfer-Encoding: chunked\r\n" + LENGTH), REFUSED),
    Row("behind a bare LF", post("A: b\nTransfer-Encoding: chunked\r\n", CHUNKS), REFUSED),
    Row("an underscore, which is another header", post("Transfer_Encoding: chunked\r\n" + LENGTH), SERVED),
    Row("a NUL in the name", post("Transfer-Encoding\0: chunked\r\n" + LENGTH), REFUSED),
    Row("a NUL in the encoding", post("Transfer-Encoding: chunked\0\r\n", CHUNKS), REFUSED),
    Row("a byte beyond ASCII in the name", post("Transfer-Encoding\xa0: chunked\r\n" + LENGTH), REFUSED),

    # Content-Length in disguise.
    Row("two lengths that differ", post(LENGTH + "Content-Length: 5\r\n"), REFUSED),
    Row("two lengths that are equal", post(LENGTH + LENGTH), REFUSED),
    Row("a list of equal lengths", post("Content-Length: 19, 19\r\n"), REFUSED_TWICE),
    Row("a list of different lengths", post("Content-Length: 19, 5\r\n"), REFUSED_TWICE),
    Row("two lengths of a GET", get("Content-Length: 0\r\nContent-Length: 3\r\n") + "abc", REFUSED),
    Row("a plus", post("Content-Length: +19\r\n"), REFUSED_TWICE),
    Row("a minus", post("Content-Length: -19\r\n"), REFUSED_TWICE),
    Row("minus zero", post("Content-Length: -0\r\n"), REFUSED_TWICE),
    Row("hexadecimal", post("Content-Length: 0x13\r\n"), REFUSED_TWICE),
    Row("octal by its looks, decimal by the rule", post("Content-Length: 0000000019\r\n"), SERVED),
    Row("an exponent", post("Content-Length: 1e1\r\n"), REFUSED_TWICE),
    Row("a fraction", post("Content-Length: 19.0\r\n"), REFUSED_TWICE),
    Row("an underscore in the number", post("Content-Length: 1_9\r\n"), REFUSED_TWICE),
    Row("a blank inside", post("Content-Length: 1 9\r\n"), REFUSED_TWICE),
    Row("a blank behind", post("Content-Length: 19 \r\n"), REFUSED_TWICE),
    Row("a blank before the colon of the length", post("Content-Length : 19\r\n"), REFUSED),
    Row("empty", post("Content-Length:\r\n"), REFUSED_TWICE),
    Row("blank", post("Content-Length:  \r\n"), REFUSED_TWICE),
    Row("a word", post("Content-Length: many\r\n"), REFUSED_TWICE),
    Row("a word behind", post("Content-Length: 19abc\r\n"), REFUSED_TWICE),
    Row("a NUL behind", post("Content-Length: 19\0\r\n"), REFUSED),
    Row("digits beyond ASCII", post("Content-Length: \xb9\r\n"), REFUSED_TWICE),
    Row("2^64", post("Content-Length: 18446744073709551616\r\n"), TOO_LARGE_TWICE),
    Row("2^64 - 1", post("Content-Length: 18446744073709551615\r\n"), REFUSED),
    Row("2^63", post("Content-Length: 9223372036854775808\r\n"), REFUSED),
    Row("folded length", post("Content-Length:\r\n 19\r\n"), REFUSED),
    Row("hidden in a folded line of a GET", get("A: b\r\n Content-Length: 3\r\n") + "abc", REFUSED),

    # Chunks. Where a chunk ends, libmicrohttpd takes more than the rule: therefore a chunked request
    # is the last one of its connection.
    Row("a size that is none", chunks(f"zz\r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("a negative size", chunks(f"-13\r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("a size with a plus", chunks(f"+13\r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("a size with 0x", chunks(f"0x13\r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("a size of 2^64", chunks(f"10000000000000000\r\n{BODY}\r\n0\r\n\r\n"), (413,)),
    Row("a size beyond 64 bits that wraps to the right one",
        chunks(f"10000000000000013\r\n{BODY}\r\n0\r\n\r\n"), (413,)),
    Row("no size", chunks(f"\r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("a blank before the size", chunks(f" 13\r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("a blank behind the size", chunks(f"13 \r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("zeros before the size", chunks(f"00000013\r\n{BODY}\r\n0\r\n\r\n"), LAST),
    Row("longer than its size", chunks(f"12\r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("no line end behind the chunk", chunks(f"13\r\n{BODY}0\r\n\r\n"), REFUSED),
    Row("a line feed alone behind the size", chunks(f"13\n{BODY}\r\n0\r\n\r\n"), LAST),
    Row("a line feed alone behind the chunk", chunks(f"13\r\n{BODY}\n0\r\n\r\n"), LAST),
    Row("a line feed alone behind the last size", chunks(f"13\r\n{BODY}\r\n0\n\r\n"), LAST),
    Row("line feeds alone", chunks(f"13\n{BODY}\n0\n\n"), LAST),
    Row("a bare CR behind the size", chunks(f"13\r{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("an extension", chunks(f"13;a=b\r\n{BODY}\r\n0\r\n\r\n"), LAST),
    Row("an extension with a line feed", chunks(f"13;a\nb\r\n{BODY}\r\n0\r\n\r\n"), REFUSED),
    Row("an extension of the last chunk", chunks(f"13\r\n{BODY}\r\n0;a=b\r\n\r\n"), LAST),
    Row("a long extension", chunks(f"13;{'a' * 20000}\r\n{BODY}\r\n0\r\n\r\n"), LAST),
    Row("a trailer", chunks(f"13\r\n{BODY}\r\n0\r\nA: b\r\n\r\n"), LAST),
    Row("a trailer that is a length", chunks(f"13\r\n{BODY}\r\n0\r\nContent-Length: 5\r\n\r\n"), LAST),
    Row("a trailer that is an encoding", chunks(f"13\r\n{BODY}\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n"), LAST),
    Row("a trailer without a colon", chunks(f"13\r\n{BODY}\r\n0\r\nabc\r\n\r\n"), REFUSED),
    Row("a last chunk of many zeros", chunks(f"13\r\n{BODY}\r\n00000\r\n\r\n"), LAST),
    Row("chunks in HTTP/1.0", post(CHUNKED, CHUNKS, version="HTTP/1.0"), REFUSED),

    # Line ends, NULs, what is no header.
    Row("line feeds only", "GET /health HTTP/1.1\nHost: localhost\n\n", REFUSED),
    Row("a line feed behind the request line", "GET /health HTTP/1.1\nHost: localhost\r\n\r\n", REFUSED),
    Row("a line feed behind a header", "GET /health HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n", REFUSED),
    Row("a line feed at the end", "GET /health HTTP/1.1\r\nHost: localhost\r\n\n", REFUSED),
    Row("a CR alone behind a header", get("A: b\rC: d\r\n"), REFUSED),
    Row("two CR behind a header", get("A: b\r\r\n"), REFUSED),
    Row("a NUL in a value", get("A: b\0c\r\n"), REFUSED),
    Row("a NUL in a name", get("A\0b: c\r\n"), REFUSED),
    Row("a control character in a value", get("A: b\x01c\r\n"), REFUSED),
    Row("DEL in a value", get("A: b\x7fc\r\n"), REFUSED),
    Row("a header without a colon", get("Abc\r\n"), REFUSED),
    Row("a header without a name", get(": b\r\n"), REFUSED),
    Row("a name with a blank", get("A b: c\r\n"), REFUSED),
    Row("a name with brackets", get("A[b]: c\r\n"), REFUSED),
    Row("a folded header", get("A: b\r\n c\r\n"), REFUSED),
    Row("a folded first header", "GET /health HTTP/1.1\r\n A: b\r\nHost: localhost\r\n\r\n", REFUSED),

    # Host.
    Row("no host", get(host=""), REFUSED),
    Row("two hosts", get("Host: localhost\r\n"), REFUSED),
    Row("two hosts that differ", get("Host: elsewhere\r\n"), REFUSED),
    Row("another host in the target", get(line="GET http://elsewhere.example/health HTTP/1.1\r\n"), REFUSED),
    Row("the same host in the target", get(line="GET http://localhost/health HTTP/1.1\r\n"), SERVED),
    Row("an empty host", get(host="Host:\r\n"), REFUSED),
    Row("a blank host", get(host="Host: \r\n"), REFUSED),
    Row("another host in the target of a POST",
        post(LENGTH, target="http://elsewhere.example/executions?identifier=abcd"), REFUSED),
    Row("no host in HTTP/1.0", get(host="", line="GET /health HTTP/1.0\r\n"), LAST),

    # The request line.
    Row("HTTP/0.9", "GET /health\r\n", REFUSED),
    Row("HTTP/1.2", get(line="GET /health HTTP/1.2\r\n"), REFUSED),
    Row("HTTP/2.0", get(line="GET /health HTTP/2.0\r\n"), (505,)),
    Row("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (505,)),
    Row("HTTP/1.10", get(line="GET /health HTTP/1.10\r\n"), REFUSED),
    Row("HTTP/01.1", get(line="GET /health HTTP/01.1\r\n"), REFUSED),
    Row("http in lower case", get(line="GET /health http/1.1\r\n"), REFUSED),
    Row("no version but a blank", get(line="GET /health \r\n"), REFUSED),
    Row("a blank behind the version", get(line="GET /health HTTP/1.1 \r\n"), REFUSED),
    Row("two blanks", get(line="GET  /health HTTP/1.1\r\n"), REFUSED),
    Row("a tab for a blank", get(line="GET\t/health\tHTTP/1.1\r\n"), CLOSED),
    Row("a blank before the method", get(line=" GET /health HTTP/1.1\r\n"), CLOSED),
    Row("a blank in the target", get(line="GET /he alth HTTP/1.1\r\n"), REFUSED),
    Row("a NUL in the target", get(line="GET /he\0alth HTTP/1.1\r\n"), REFUSED),
    Row("a CR in the target", get(line="GET /he\ralth HTTP/1.1\r\n"), REFUSED),
    Row("a byte beyond ASCII in the target", get(line="GET /h\xe9alth HTTP/1.1\r\n"), REFUSED),
    Row("a method in lower case", get(line="get /health HTTP/1.1\r\n"), REFUSED),
    Row("a method that is none", get(line="FROB /health HTTP/1.1\r\n"), REFUSED),
    Row("CONNECT", get(line="CONNECT localhost:1 HTTP/1.1\r\n"), REFUSED),
    Row("TRACE", get(line="TRACE /health HTTP/1.1\r\n"), REFUSED),
    Row("an asterisk", get(line="OPTIONS * HTTP/1.1\r\n"), (400, 404)),
    Row("a target without a slash", get(line="GET health HTTP/1.1\r\n"), (400, 404)),
    Row("no target", get(line="GET HTTP/1.1\r\n"), REFUSED),
    Row("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", CLOSED),
]


def exchange(daemon: Daemon, data: bytes) -> bytes:
    """Everything that comes back until the daemon closes."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=ANSWER_DEADLINE_S) as connection:
        received = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            pytest.fail(f"it waits after {received!r}")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it closed before it had read everything
        return received


def test_names_are_told_apart() -> None:
    assert len({row.what for row in ROWS}) == len(ROWS) >= 100


@pytest.fixture(scope="module")
def target(shared_daemon: Daemon) -> Iterator[str]:
    with Client(shared_daemon.port) as client:
        client.run("pass")
        yield client.target("executions", LATEST)
        client.delete_session()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_a_request_ends_in_one_place_only(shared_daemon: Daemon, target: str, row: Row) -> None:
    request = row.request.replace("TARGET", target)
    received = exchange(shared_daemon, (request + BEHIND).encode("latin-1"))
    statuses = tuple(int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received))
    assert statuses == row.statuses, received.decode("latin-1")[:2000]
    assert (b"ResourceNotFound" in received) == (statuses[1:] == (404,))
