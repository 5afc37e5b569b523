"""The cases beside this file: read, sent, judged. README.md describes their form.

test_contract.py runs them against a daemon of its own, compare.py against any pool's endpoint.
"""
from __future__ import annotations

import json
import os
import re
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Protocol
from urllib.parse import urlsplit

from support.client import Answer, multipart

HERE = Path(__file__).parent
FULL = os.environ.get("SANDPOOL_FULL") == "1"
REPEAT_EVERY_S = 0.2
MARKS = {"D": "documented", "R": "recorded", "C": "read in clients", "I": "inferred"}


class Sender(Protocol):
    """What a case is sent through."""

    def request(self, method: str, target: str, body: Any = None, headers: Any = None,
                timeout_s: float = ...) -> Answer: ...

    def raw(self, data: bytes, method: str = "POST") -> Answer: ...


class Difference(NamedTuple):
    """One place of an answer that is not as expected."""

    where: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.where}: {self.got} instead of {self.expected}"


@dataclass
class Step:
    """One request of a case, and what must be answered."""

    number: int
    request: dict[str, Any]
    expected: dict[str, Any]


@dataclass
class Case:
    """A directory beside this file."""

    directory: Path
    marks: list[str] = field(default_factory=list)
    needs_daemon: bool = False
    needs_full: bool = False

    @classmethod
    def read(cls, directory: Path) -> Case:
        case = cls(directory)
        for line in (directory / "why.txt").read_text().splitlines()[1:]:
            key, _, value = line.partition(":")
            if key == "marks" and set(value.split()) <= set(MARKS):
                case.marks = value.split()
            elif (key, value.strip()) == ("needs", "daemon"):
                case.needs_daemon = True
            elif (key, value.strip()) == ("needs", "full"):
                case.needs_full = True
            else:
                raise ValueError(f"{directory.name}/why.txt: {line!r} is neither marks nor needs")
        return case

    @property
    def name(self) -> str:
        return self.directory.name

    def settings(self, name: str) -> dict[str, Any] | None:
        """What the case wants of a daemon of its own: "config", of the pool, or "api"."""
        path = self.directory / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def wants_own_daemon(self) -> bool:
        return self.settings("config") is not None or self.settings("api") is not None

    def steps(self, variables: dict[str, str]) -> Iterator[Step]:
        """The steps in order; variables may be added between them."""
        for path in sorted(self.directory.glob("request.*.json"),
                           key=lambda name: int(name.name.split(".")[1])):
            expected = path.with_name(path.name.replace("request", "expect"))
            yield Step(int(path.name.split(".")[1]),
                       fill_in(json.loads(path.read_text()), variables),
                       fill_in(json.loads(expected.read_text()), variables))

    def mark(self, step: Step, where: str) -> str:
        """Where the expectation at that place of the answer comes from."""
        inferred = step.expected.get("inferred", [])
        if inferred is True or any(where == place or where.startswith((place + ".", place + "["))
                                   for place in inferred):
            return "I"
        return " ".join(self.marks)


def all_cases() -> list[Case]:
    return [Case.read(path.parent) for path in sorted(HERE.glob("*/request.1.json"))]


# ---- variables ----

def new_variables(identifier: str) -> dict[str, str]:
    return {"identifier": identifier, "four": uuid.uuid4().hex[:4]}


def fill_in(value: Any, variables: dict[str, str]) -> Any:
    """Puts the case's own identifier where {identifier} stands, and so on."""
    if isinstance(value, str):
        for name, text in variables.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, list):
        return [fill_in(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: fill_in(item, variables) for key, item in value.items()}
    return value


def look_up(answer: Answer, place: str) -> str:
    """The text at a place such as headers.operation-location or body.id; "" where there is none."""
    first, *names = place.split(".")
    try:
        value: Any = answer.headers if first == "headers" else answer.json
        for name in names:
            value = value[name]
    except (KeyError, TypeError, ValueError):
        return ""
    return str(value)


def keep(step: Step, answer: Answer, variables: dict[str, str], prefix: str = "") -> None:
    """Takes what later requests want. A URL becomes a target: where an answer says that another
    host should be asked, ours is asked all the same, because a token is sent along."""
    for name, place in step.expected.get("keep", {}).items():
        text = look_up(answer, place)
        if re.match("https?://", text):
            parts = urlsplit(text)
            text = parts.path.removeprefix(prefix) + ("?" + parts.query if parts.query else "")
        variables[name] = text


# ---- requests ----

def body_of(request: dict[str, Any]) -> tuple[bytes | None, dict[str, str]]:
    if "json" in request:
        return json.dumps(request["json"]).encode(), {"Content-Type": "application/json"}
    if "file" in request:
        file = request["file"]
        content = b"x" * file["bytes"] if "bytes" in file else file["text"].encode()
        body, content_type = multipart(file["name"], content)
        return body, {"Content-Type": content_type}
    if "text" in request:
        return request["text"].encode(), {}
    if "latin1" in request:
        return request["latin1"].encode("latin-1"), {}
    return None, {}


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start:start + size]


def send_once(sender: Sender, request: dict[str, Any]) -> Answer:
    if "raw" in request:
        return sender.raw(request["raw"].encode("latin-1"), request["method"])
    body, headers = body_of(request)
    headers = {**headers, **request.get("headers", {})}
    more = {"timeout_s": request["timeout_s"]} if "timeout_s" in request else {}
    if body is not None and "chunk_bytes" in request:
        return sender.request(request["method"], request["target"],
                              pieces(body, request["chunk_bytes"]), headers, **more)
    return sender.request(request["method"], request["target"], body, headers, **more)


def send(sender: Sender, step: Step) -> Answer:
    """Sends a request; again for a while, where its answer is not as expected yet and the case says
    that this may be so."""
    deadline = time.monotonic() + step.request.get("repeat_s", 0)
    while True:
        answer = send_once(sender, step.request)
        if time.monotonic() >= deadline or not judge(step.expected, answer):
            return answer
        time.sleep(REPEAT_EVERY_S)


# ---- answers ----

NOTHING = "nothing"


def contained(expected: list[Any], actual: Any, where: str) -> list[Difference]:
    if not isinstance(actual, list):
        return [Difference(where, "a list", repr(actual))]
    return [Difference(where, f"a list with {item!r}", repr(actual)) for item in expected
            if all(differences(item, other, where) for other in actual)]


def differences(expected: Any, actual: Any, where: str) -> list[Difference]:
    """What is expected and not there. Objects may hold more than expected, lists may not."""
    if isinstance(expected, str) and expected.startswith("re:"):
        matches = isinstance(actual, str) and re.fullmatch(expected[3:], actual, re.DOTALL)
        return [] if matches else [Difference(where, f"a text like {expected[3:]}", repr(actual))]
    if expected == "type:integer":
        is_integer = isinstance(actual, int) and not isinstance(actual, bool)
        return [] if is_integer else [Difference(where, "an integer", repr(actual))]
    if isinstance(expected, dict) and "$contains" in expected:
        return contained(expected["$contains"], actual, where)
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return [Difference(where, "an object", repr(actual))]
        return [line for key, item in expected.items()
                for line in (differences(item, actual[key], f"{where}.{key}") if key in actual
                             else [Difference(f"{where}.{key}", wanted(item), NOTHING)])]
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [Difference(where, f"{len(expected)} items", repr(actual))]
        return [line for i, item in enumerate(expected)
                for line in differences(item, actual[i], f"{where}[{i}]")]
    if type(expected) is not type(actual) or expected != actual:
        return [Difference(where, repr(expected), repr(actual))]
    return []


def wanted(expected: Any) -> str:
    """An expectation in words, for a place that is not there at all."""
    first = differences(expected, object(), "")
    return first[0].expected if first else repr(expected)


def judge(expected: dict[str, Any], answer: Answer) -> list[Difference]:
    statuses = expected["status"]
    statuses = statuses if isinstance(statuses, list) else [statuses]
    found = []
    if answer.status not in statuses:
        found.append(Difference("status", " or ".join(map(str, statuses)), str(answer.status)))
    found += differences(expected.get("headers", {}), answer.headers, "headers")
    if "text" in expected:
        found += differences(expected["text"], answer.text, "body")
    if "json" in expected:
        try:
            document = answer.json
        except ValueError:
            found.append(Difference("body", "JSON", repr(answer.text[:200])))
        else:
            found += differences(expected["json"], document, "body")
    return found
