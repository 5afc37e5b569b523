"""Runs the cases beside this file: does the wire match docs/api.md? README.md describes their form."""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Iterator

import pytest

from conftest import MakeDaemon
from support.client import Answer, Client, multipart, new_identifier

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/request.1.json"))


# ---- requests ----

def fill_in(value: Any, identifier: str) -> Any:
    """Puts the case's own identifier where {identifier} stands."""
    if isinstance(value, str):
        return value.replace("{identifier}", identifier)
    if isinstance(value, list):
        return [fill_in(item, identifier) for item in value]
    if isinstance(value, dict):
        return {key: fill_in(item, identifier) for key, item in value.items()}
    return value


def body_of(request: dict[str, Any]) -> tuple[bytes | None, dict[str, str]]:
    if "json" in request:
        return json.dumps(request["json"]).encode(), {"Content-Type": "application/json"}
    if "file" in request:
        body, content_type = multipart(request["file"]["name"], request["file"]["text"].encode())
        return body, {"Content-Type": content_type}
    if "text" in request:
        return request["text"].encode(), {}
    if "latin1" in request:
        return request["latin1"].encode("latin-1"), {}
    return None, {}


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start:start + size]


def send(client: Client, request: dict[str, Any]) -> Answer:
    if "raw" in request:
        return client.raw(request["raw"].encode("latin-1"), request["method"])
    body, headers = body_of(request)
    headers = {**headers, **request.get("headers", {})}
    if body is not None and "chunk_bytes" in request:
        return client.request(request["method"], request["target"],
                              pieces(body, request["chunk_bytes"]), headers)
    return client.request(request["method"], request["target"], body, headers)


# ---- answers ----

def differences(expected: Any, actual: Any, where: str) -> list[str]:
    """What is expected and not there. Objects may hold more than expected, lists may not."""
    if isinstance(expected, str) and expected.startswith("re:"):
        if isinstance(actual, str) and re.fullmatch(expected[3:], actual, re.DOTALL):
            return []
        return [f"{where}: {actual!r} does not match {expected[3:]!r}"]
    if expected == "type:integer":
        is_integer = isinstance(actual, int) and not isinstance(actual, bool)
        return [] if is_integer else [f"{where}: {actual!r} is not an integer"]
    if isinstance(expected, dict) and "$contains" in expected:
        missing = [item for item in expected["$contains"]
                   if not any(not differences(item, other, where) for other in actual)]
        return [f"{where}: {item!r} is not in {actual!r}" for item in missing]
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return [f"{where}: {actual!r} is not an object"]
        return [line for key, item in expected.items()
                for line in (differences(item, actual[key], f"{where}.{key}") if key in actual
                             else [f"{where}.{key} is missing"])]
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{where}: {actual!r} instead of {len(expected)} items"]
        return [line for i, item in enumerate(expected)
                for line in differences(item, actual[i], f"{where}[{i}]")]
    if type(expected) is not type(actual) or expected != actual:
        return [f"{where}: {actual!r} instead of {expected!r}"]
    return []


def judge(expected: dict[str, Any], answer: Answer) -> list[str]:
    statuses = expected["status"]
    statuses = statuses if isinstance(statuses, list) else [statuses]
    lines = [] if answer.status in statuses else [f"status {answer.status}, not {statuses}"]
    lines += differences(expected.get("headers", {}), answer.headers, "headers")
    if "text" in expected:
        lines += differences(expected["text"], answer.text, "body")
    if "json" in expected:
        try:
            lines += differences(expected["json"], answer.json, "body")
        except ValueError:
            lines.append("the body is not JSON")
    return lines


# ---- the test ----

@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, request: pytest.FixtureRequest) -> None:
    own = {name: json.loads(path.read_text()) for name in ("config", "api")
           if (path := case / f"{name}.json").exists()}
    if own:
        make_daemon: MakeDaemon = request.getfixturevalue("make_daemon")
        daemon = make_daemon(api=own.get("api"), **own.get("config", {}))
    else:
        daemon = request.getfixturevalue("shared_daemon")

    identifier = new_identifier("contract")
    with daemon.client(identifier) as client:
        try:
            for path in sorted(case.glob("request.*.json"),
                               key=lambda name: int(name.name.split(".")[1])):
                expected = case / path.name.replace("request", "expect")
                answer = send(client, fill_in(json.loads(path.read_text()), identifier))
                wrong = judge(fill_in(json.loads(expected.read_text()), identifier), answer)
                assert not wrong, "\n".join([f"{path.name} of {case.name}:", *wrong,
                                             f"answer: {answer.status} {answer.text[:1000]}"])
        finally:
            client.delete_session()
