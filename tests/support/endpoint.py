"""Speaks to the pool behind any management endpoint, over HTTP or HTTPS, as test cases ask."""
from __future__ import annotations

import gzip
import http.client
import ssl
import time
from typing import Callable, Iterable, Mapping
from urllib.parse import SplitResult, urlsplit

from support.client import LATEST, Answer

TIMEOUT_S = 240  # of each request: an execution may take 220 s
RETRIES = 4
RETRY_AFTER_S = 5  # where the answer does not say
RETRY_AFTER_MAX_S = 60


def split_endpoint(url: str) -> SplitResult:
    """Raises ValueError with a sentence for what is no endpoint."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no pool management endpoint: http(s)://HOST[:PORT]/PATH is")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an endpoint has no user, password, query or fragment; "
                         "the token comes from SANDPOOL_TOKEN")
    return parts


def is_loopback(parts: SplitResult) -> bool:
    return parts.hostname in ("localhost", "::1") or (parts.hostname or "").startswith("127.")


class Endpoint:
    """One pool. Targets are given behind its path; certificates are checked as the system does it,
    SSL_CERT_FILE included. Waits when it is told 429, unless the caller looks for that."""

    def __init__(self, url: str, token: str,
                 sleep: Callable[[float], None] = time.sleep) -> None:
        self.parts = split_endpoint(url)
        self.prefix = self.parts.path.rstrip("/")
        self.token = token
        self.sleep = sleep
        self.expects_429 = False
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            assert self.parts.hostname
            if self.parts.scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    self.parts.hostname, self.parts.port, timeout=TIMEOUT_S,
                    context=ssl.create_default_context())
            else:
                self._connection = http.client.HTTPConnection(
                    self.parts.hostname, self.parts.port, timeout=TIMEOUT_S)
        return self._connection

    def _once(self, method: str, target: str, body: bytes | Iterable[bytes] | None,
              headers: dict[str, str]) -> Answer:
        for is_fresh in (self._connection is None, True):
            connection = self._connect()
            try:
                connection.request(method, self.prefix + target, body=body, headers=headers)
                response = connection.getresponse()
                data = response.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A kept connection may have been closed meanwhile; a fresh one may not.
                self.close()
                if is_fresh:
                    raise
                continue
            except BaseException:
                self.close()
                raise
            names = {name.lower(): value for name, value in response.getheaders()}
            if names.get("content-encoding") == "gzip":
                data = gzip.decompress(data)
            return Answer(response.status, names, data)
        raise AssertionError("not reached")

    def request(self, method: str, target: str, body: bytes | Iterable[bytes] | None = None,
                headers: Mapping[str, str | None] | None = None,
                timeout_s: float = TIMEOUT_S) -> Answer:
        assert timeout_s <= TIMEOUT_S  # of a connection that is kept
        if body is not None and not isinstance(body, bytes):
            body = list(body)
        all_headers = {name: value for name, value in
                       {"Authorization": f"Bearer {self.token}", **(headers or {})}.items()
                       if value is not None}
        for _ in range(RETRIES):
            # An iterator and not a list: http.client sends that in chunks.
            chunks = iter(body) if isinstance(body, list) else body
            answer = self._once(method, target, chunks, all_headers)
            if answer.status != 429 or self.expects_429:
                break
            wait = answer.headers.get("retry-after", "")
            self.sleep(min(int(wait) if wait.isdigit() else RETRY_AFTER_S, RETRY_AFTER_MAX_S))
        return answer

    def raw(self, data: bytes, method: str = "POST") -> Answer:
        raise NotImplementedError("a case with raw bytes needs a daemon")

    def delete_session(self, identifier: str) -> Answer:
        """identifier is percent-encoded."""
        return self.request("DELETE", f"/session?identifier={identifier}&api-version={LATEST}")
