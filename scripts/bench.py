"""What scripts/bench runs: latencies and rates of a daemon of its own, interleaved with a peer and a floor.

usage: bench.py [--samples N]
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.client import new_identifier  # noqa: E402
from support.daemon import Daemon, pool_document, scale  # noqa: E402
from support.processes import wait_until  # noqa: E402

VERSION = "2025-10-02-preview"
PROGRAM = "import numpy, pandas\nprint(6*7)"
SILENT = "/subscriptions/local/resourceGroups/local/sessionPools/silent"
RATE_S = 4.0


class Connection:
    """A keep-alive connection that does as little as a client can."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        self.socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += self._receive()
        if head[9:12] not in (b"200", b"202", b"204"):
            raise RuntimeError(f"{head.splitlines()[0].decode()}: {body[:300].decode()}")
        return body

    def _receive(self) -> bytes:
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the daemon closed the connection")
        return piece


def execute_request(identifier: str, code: str, base: str = "") -> bytes:
    body = json.dumps({"code": code}).encode()
    return (f"POST {base}/executions?identifier={identifier}&api-version={VERSION} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer local\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def delete_request(identifier: str) -> bytes:
    return (f"DELETE /session?identifier={identifier}&api-version={VERSION} HTTP/1.1\r\n"
            "Host: localhost\r\nAuthorization: Bearer local\r\n\r\n").encode()


def timed_ms(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


# ---- what is measured: each returns one sample in milliseconds ----

def fresh(connection: Connection, pause_s: float) -> float:
    identifier = new_identifier("bench")
    took = timed_ms(lambda: connection.ask(execute_request(identifier, PROGRAM)))
    connection.ask(delete_request(identifier))
    time.sleep(pause_s)  # what was taken is made again outside the measurement
    return took


def peer_command() -> list[str]:
    python = ["/usr/bin/python3", "-c", PROGRAM]
    if not shutil.which("bwrap"):
        return python
    return ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp",
            "--unshare-all", "--die-with-parent", *python]


def start_echo() -> int:
    """The floor: a process that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))
    if os.fork() == 0:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(65536):
            connection.sendall(data)
        os._exit(0)
    port = listener.getsockname()[1]
    listener.close()
    return port


def per_second(workers: int, work: Callable[[], Callable[[], object]]) -> float:
    """Runs work in so many processes at once; work() prepares and returns what is counted."""
    reader, writer = os.pipe()
    for _ in range(workers):
        if os.fork() == 0:
            step = work()
            count, deadline = 0, time.monotonic() + RATE_S
            while time.monotonic() < deadline:
                step()
                count += 1
            os.write(writer, f"{count}\n".encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as counts:
        total = sum(int(line) for line in counts)
    for _ in range(workers):
        os.wait()
    return total / RATE_S


def show(name: str, samples: list[float]) -> float:
    ordered = sorted(samples)
    median = statistics.median(ordered)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:58} {median:10.3f} {p99:10.3f} {len(ordered):8}")
    return median


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=200)
    samples = parser.parse_args().samples
    directory = Path(tempfile.mkdtemp(prefix="sandpool-bench-"))
    for name in ("ready", "empty", "exec", "bare"):
        (directory / name).mkdir()
    document = pool_document(scale(200, 16))
    document["pools"].append({"name": "silent", "properties": scale(2, 1), "sandpool": {"audit": False}})
    ready = Daemon(directory / "ready", document)
    empty = Daemon(directory / "empty", pool_document(scale(200, 0)))
    try:
        measure(ready, empty, samples)
    finally:
        ready.stop()
        empty.stop()
    # Apart from the others, whom its imports would disturb.
    print('Pools with "start": "exec"')
    measure_exec(directory / "exec", "modules imported ahead", True, max(3, samples // 20))
    measure_exec(directory / "bare", '"preload": false', False, max(3, samples // 20))
    shutil.rmtree(directory)


def count_processes(daemon: Daemon) -> tuple[int, int, int]:
    return len(daemon.zygotes()), len(daemon.named("sandboxd-session")), len(daemon.interpreters())


def measure_exec(directory: Path, what: str, preload: bool, samples: int) -> None:
    """A new identifier with an instance ready, and with none: as soon as the one that was is taken."""
    daemon = Daemon(directory, pool_document(scale(20, 1), start="exec", preload=preload))
    try:
        connection = Connection(daemon.port)
        ready, empty = [], []
        for _ in range(samples):
            if not wait_until(lambda: count_processes(daemon) == (1, 1, 1), 60):
                raise RuntimeError("no instance becomes ready")
            time.sleep(0.5)  # until it has said so
            for taken in (ready, empty):
                identifier = new_identifier("bench")
                taken.append(timed_ms(lambda: connection.ask(execute_request(identifier, "print(6*7)"))))
                connection.ask(delete_request(identifier))
        show(f"a new identifier, a session is ready; {what}", ready)
        show(f"a new identifier, none is ready; {what}", empty)
    finally:
        daemon.stop()


def measure(ready: Daemon, empty: Daemon, samples: int) -> None:
    print(f"{platform.platform()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; "
          "policy python, image host")
    print(f"{'milliseconds':58} {'median':>10} {'p99':>10} {'samples':>8}")
    to_ready, to_empty, echo = Connection(ready.port), Connection(empty.port), socket.create_connection(("127.0.0.1", start_echo()))
    echo.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    warm = new_identifier("bench")
    to_ready.ask(execute_request(warm, "x = 0"))
    to_ready.ask(execute_request(warm, "x = 0", SILENT))
    step, silent_step = execute_request(warm, "x += 1"), execute_request(warm, "x += 1", SILENT)

    taken: dict[str, list[float]] = {name: [] for name in ("peer", "p1", "p2", "p3", "silent", "floor")}
    for number in range(samples):
        if number % 10 == 0:
            taken["peer"].append(timed_ms(lambda: subprocess.run(peer_command(), check=True, stdout=subprocess.DEVNULL)))
        taken["p1"].append(fresh(to_ready, 0.03))
        taken["p2"].append(fresh(to_empty, 0.01))
        for turn in range(10):
            name, request = ("silent", silent_step) if turn % 2 else ("p3", step)
            to_ready.ask(request)  # whoever is asked after another one finds the caches cold
            taken[name].append(timed_ms(lambda: to_ready.ask(request)))
            taken["floor"].append(timed_ms(lambda: (echo.sendall(step), echo.recv(65536))))

    peer = show(f"peer: {peer_command()[0]}, import numpy and pandas, print", taken["peer"])
    p1 = show("P1: a new identifier, a session is ready", taken["p1"])
    p2 = show("P2: a new identifier, none is ready", taken["p2"])
    p3 = show("P3: one more execution in a session", taken["p3"])
    silent = show("P3 in a pool without audit", taken["silent"])
    show("floor: one round trip over loopback TCP", taken["floor"])
    print(f"P1 is 1/{peer / p1:.0f} of the peer, P2 1/{peer / p2:.0f}; P13: audit costs {100 * (p3 / silent - 1):.1f} % of P3")

    def fresh_work() -> Callable[[], object]:
        connection = Connection(ready.port)
        return lambda: fresh(connection, 0)

    def warm_work() -> Callable[[], object]:
        connection, identifier = Connection(ready.port), new_identifier("bench")
        connection.ask(execute_request(identifier, "x = 0"))
        request = execute_request(identifier, "x += 1")
        return lambda: connection.ask(request)

    workers = 2 * (os.cpu_count() or 1)
    print(f"P4: {per_second(workers, fresh_work):.0f} fresh sessions with one execution a second, {workers} clients")
    print(f"P5: {per_second(workers, warm_work):.0f} executions in live sessions a second, {workers} clients")


if __name__ == "__main__":
    main()
