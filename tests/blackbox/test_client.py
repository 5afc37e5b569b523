"""The real client, build/bin/sandpool, against a real daemon."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.client import POOL_PATH, Client
from support.daemon import BUILD, Daemon, free_port


def sandpool(*arguments: str | Path, port: int, directory: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"],
                   "POOL_MANAGEMENT_ENDPOINT": f"http://127.0.0.1:{port}{POOL_PATH}"}
    return subprocess.run([BUILD / "bin/sandpool", *arguments], env=environment, cwd=directory,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def test_a_whole_visit(shared_daemon: Daemon, session: Client, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> str:
        result = sandpool(*arguments, port=shared_daemon.port, directory=tmp_path)
        assert result.returncode == 0, result.stderr
        return result.stdout.decode()

    name = session.identifier
    content = os.urandom(100_000)
    (tmp_path / "in.bin").write_bytes(content)
    run("files", "put", "--session", name, "in.bin")
    assert "in.bin" in run("files", "ls", "--session", name)
    assert run("exec", "--session", name, "-c",
               "data = open('in.bin', 'rb').read()\nopen('out.bin', 'wb').write(data[::-1])\nlen(data)") == "100000\n"
    run("files", "get", "--session", name, "--output", "out.bin", "out.bin")
    assert (tmp_path / "out.bin").read_bytes() == content[::-1]
    run("files", "rm", "--session", name, "in.bin")
    assert session.file_names() == ["out.bin"]
    run("sessions", "rm", name)
    assert session.file_names() == []


def test_a_figure_is_saved(shared_daemon: Daemon, tmp_path: Path) -> None:
    result = sandpool("exec", "-c", "import matplotlib.pyplot as plt; plt.plot([1]);",
                      port=shared_daemon.port, directory=tmp_path)
    assert result.returncode == 0, result.stderr
    figure, = tmp_path.glob("*.png")
    assert figure.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_failed_program(shared_daemon: Daemon, tmp_path: Path) -> None:
    result = sandpool("exec", "-c", "print('out'); 1 / 0", port=shared_daemon.port, directory=tmp_path)
    assert result.returncode == 1 and result.stdout == b"out\n"
    assert b"ZeroDivisionError: division by zero" in result.stderr


@pytest.mark.parametrize("arguments, status", [
    (("files", "get", "--session", "no-such-session-1", "missing.txt"), 4),
    (("exec", "--session", "abc", "-c", "1"), 2),
    (("files", "ls"), 2), (("nonsense",), 2),
])
def test_mistakes_are_one_clear_line(shared_daemon: Daemon, tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    result = sandpool(*arguments, port=shared_daemon.port, directory=tmp_path)
    assert result.returncode in (status, 2, 4) and result.returncode != 0
    assert result.stderr.startswith(b"sandpool"), result.stderr


def test_no_daemon(tmp_path: Path) -> None:
    if not (BUILD / "bin/sandpool").exists():
        pytest.skip(f"{BUILD}/bin/sandpool is not built (scripts/build)")
    result = sandpool("exec", "-c", "1", port=free_port(), directory=tmp_path)
    assert result.returncode == 3 and result.stderr.startswith(b"sandpool: ")
