"""Sends what a client of the hosted service sends, byte for byte: the files below tests/clients/replays."""
from __future__ import annotations

import re
import socket
import ssl
import uuid
from pathlib import Path

from support.client import POOL_PATH, Answer, receive_answer
from support.daemon import TREE, Daemon

REPLAYS = TREE / "tests" / "clients" / "replays"
TIMEOUT_S = 60


class Replay:
    """One client's session: its folder of requests, and the identifier that they all carry."""

    def __init__(self, daemon: Daemon, folder: str) -> None:
        self.daemon = daemon
        self.folder = REPLAYS / folder
        # As long as the ones recorded: bodies hold it too, and their length stands in a header.
        self.identifier = str(uuid.uuid4())
        self.pool = POOL_PATH
        self.token = "local"
        self.secure = False

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        with self.daemon.client(self.identifier) as client:
            client.delete_session()

    @property
    def port(self) -> int:
        return self.daemon.https_port if self.secure else self.daemon.port

    def bytes_of(self, name: str) -> bytes:
        path: Path = self.folder / f"{name}.http"
        values = {"host": f"127.0.0.1:{self.port}", "pool": self.pool,
                  "identifier": self.identifier, "token": self.token}
        data = path.read_bytes()
        for key, value in values.items():
            data = data.replace(b"{%s}" % key.encode(), value.encode())
        check_length(data, path)
        return data

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)
        if not self.secure:
            return connection
        authority = ssl.create_default_context(cafile=self.daemon.state_directory / "ca.pem")
        return authority.wrap_socket(connection, server_hostname="127.0.0.1")

    def send(self, name: str) -> Answer:
        """Sends NAME.http on a connection of its own, as most of these clients do."""
        data = self.bytes_of(name)
        with self.connect() as connection:
            connection.sendall(data)
            return receive_answer(connection, data.split(b" ", 1)[0].decode())

    def ok(self, name: str) -> Answer:
        """What `raise_for_status` of many libraries lets pass."""
        answer = self.send(name)
        assert 200 <= answer.status < 300, f"{name}: {answer.status} {answer.text}"
        return answer


def check_length(data: bytes, path: Path) -> None:
    """A file that somebody edited must still be a whole request."""
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: (\d+)\r?$", head)
    assert length is None or int(length[1]) == len(body), f"{path} is not as long as it says"
