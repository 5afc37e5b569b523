"""Server-sent events, read as they come."""
from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from support.client import TIMEOUT_S, TOKEN, Client

ACCEPT_EVENTS = {"Accept": "text/event-stream"}


@dataclass
class Event:
    """An event, or a comment under the name "comment"."""

    name: str
    data: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Stream:
    """One request whose answer is a stream of events, on a connection of its own."""

    def __init__(self, client: Client, method: str, target: str, body: bytes | None = None,
                 headers: Mapping[str, str] | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=TIMEOUT_S)
        self.connection.request(method, target, body=body,
                                headers={"Authorization": TOKEN, **ACCEPT_EVENTS, **(headers or {})})
        self._response: http.client.HTTPResponse | None = None

    @property
    def response(self) -> http.client.HTTPResponse:
        """Waits for the head."""
        if self._response is None:
            self._response = self.connection.getresponse()
        return self._response

    def close(self) -> None:
        if self._response is not None:
            self._response.close()
        self.connection.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        """Up to the proper end of the stream; a broken one raises http.client.IncompleteRead."""
        assert self.response.status == 200, self.response.read()
        assert self.response.getheader("content-type") == "text/event-stream"
        name, data = "", []
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text.startswith(": "):
                yield Event("comment", text[2:])
            elif text.startswith("event: "):
                name = text[7:]
            elif text.startswith("data: "):
                data.append(text[6:])
            elif not text and name:
                yield Event(name, "\n".join(data))
                name, data = "", []
            else:
                assert not text, text

    def next_of(self, name: str) -> Event:
        """The next event of that name; those before it are passed over."""
        return next(event for event in self if event.name == name)
