"""sandpool tape: a script as a model server on a real socket; tapes as files."""
from __future__ import annotations

import http.client
import json
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator
from urllib.parse import urlsplit

import pytest

from agent.scripted_model import DEADLINE_S, SANDPOOL, ScriptedModel

Start = Callable[..., ScriptedModel]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    if not SANDPOOL.exists():
        pytest.skip(f"{SANDPOOL} is not built (scripts/build)")
    models: list[ScriptedModel] = []

    def begin(script: str, *arguments: str) -> ScriptedModel:
        models.append(ScriptedModel(tmp_path, script, *arguments))
        return models[-1]

    yield begin
    for model in models:
        if model.process.poll() is None:
            model.close()


def ask(model: ScriptedModel, text: str = "hi", path: str = "/chat/completions",
        **more: Any) -> http.client.HTTPResponse:
    url = urlsplit(model.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=DEADLINE_S)
    body = {"messages": [{"role": "user", "content": text}], "stream": True} | more
    connection.request("POST", url.path + path, json.dumps(body), {"Content-Type": "application/json"})
    return connection.getresponse()


def streamed_text(answer: bytes) -> str:
    events = [line[6:] for line in answer.decode().split("\n") if line.startswith("data: {")]
    deltas = [choice["delta"] for event in events for choice in json.loads(event)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def test_a_script_is_a_model_server(start: Start) -> None:
    model = start("error 429 after 2\nsay Hello, world.\n")
    first, second = ask(model), ask(model)
    assert (first.status, first.headers["Retry-After"]) == (429, "2")
    body = second.read()
    assert (second.status, second.headers["Content-Type"]) == (200, "text/event-stream")
    assert streamed_text(body) == "Hello, world."
    assert body.endswith(b"data: [DONE]\n\n")
    assert model.close() == (0, "")


def test_the_paths_of_azure_fit_too(start: Start) -> None:
    model = start("say one\n---\nsay two\n")
    dated = ask(model, path="/openai/deployments/d/chat/completions?api-version=2024-10-21")
    assert streamed_text(dated.read()) == "one"
    responses = ask(model, path="/responses", input="hi")
    assert b'"delta":"two"' in responses.read()


@pytest.mark.parametrize("chunks", ["1", "random 3", "whole"])
def test_pieces_arrive_as_they_were_cut_with_the_same_bytes(start: Start, chunks: str) -> None:
    script = "say caf\u00e9 and more\ncall run_python {\"code\": \"1\"}\n"
    plain = ask(start(script)).read()
    assert ask(start(script, "--chunks", chunks)).read() == plain


def test_each_piece_is_a_chunk_of_its_own(start: Start) -> None:
    model = start("raw \"abc\"\n", "--chunks", "1")
    answer = ask(model)
    expected = b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n"
    assert answer.fp.read(len(expected)) == expected


def test_a_cut_ends_the_connection_in_the_middle(start: Start) -> None:
    answer = ask(start("say a rather long answer\ncut after 30 bytes\n"))
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)) as caught:
        answer.read()
    if isinstance(caught.value, http.client.IncompleteRead):
        assert len(caught.value.partial) <= 30


def test_a_request_that_was_not_expected_is_told_to_both_sides(start: Start) -> None:
    model = start("expect-user contains \"count\"\nsay 3\n")
    answer = ask(model, "draw")
    problem = json.loads(answer.read())["error"]
    assert (answer.status, problem["code"]) == (400, "script_mismatch")
    status, messages = model.close()
    assert status == 5
    assert 'line 1: the user\'s text must contain "count"; it is: draw' in messages


def test_models_are_listed(start: Start) -> None:
    url = urlsplit(start("model gpt-x\nsay x\n").url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=DEADLINE_S)
    connection.request("GET", "/v1/models")
    listing = json.loads(connection.getresponse().read())
    assert [model["id"] for model in listing["data"]] == ["gpt-x"]


def test_a_script_with_a_mistake_is_not_served(tmp_path: Path) -> None:
    path = tmp_path / "wrong.script"
    path.write_text("say hi\nsya hi\n")
    result = subprocess.run([str(SANDPOOL), "tape", "serve", str(path)], capture_output=True, text=True,
                            timeout=DEADLINE_S, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert "wrong.script: line 2: a step must begin with" in result.stderr


def test_an_address_that_others_reach_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.script"
    path.write_text("say hi\n")
    result = subprocess.run([str(SANDPOOL), "tape", "serve", str(path), "--listen", "0.0.0.0:0"],
                            capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert result.returncode != 0
    assert "on the loopback only" in result.stderr


# ---- check, show ----

def tape(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not SANDPOOL.exists():
        pytest.skip(f"{SANDPOOL} is not built (scripts/build)")
    return subprocess.run([str(SANDPOOL), "tape", *arguments], capture_output=True, text=True,
                          timeout=DEADLINE_S, check=False)


TAPE = [{"tape": 1}, {"event": "user", "text": "count\x1b[2J"},
        {"event": "llm.request", "method": "POST", "path": "/v1/chat/completions", "body": {"a": [1]}},
        {"event": "llm.response", "status": 200, "headers": {}},
        {"event": "chunk", "t_ms": 30, "text": "data: \x1b[31m\n\n"},
        {"event": "end", "cut": True}]


def write_tape(path: Path) -> str:
    path.write_text("".join(json.dumps(event) + "\n" for event in TAPE))
    return str(path)


def test_check_tells_tapes_from_scripts_and_names_the_line_that_is_wrong(tmp_path: Path) -> None:
    good, script, bad = tmp_path / "good.tape", tmp_path / "a.script", tmp_path / "bad.tape"
    write_tape(good)
    script.write_text("say hi\n")
    bad.write_text(good.read_text() + "{\"event\":\"dance\"}\n")
    result = tape("check", str(good), str(script), str(bad))
    assert result.returncode == 1
    assert result.stdout == (f"{good}: a tape of 1 model and 0 session requests; the recording was cut short\n"
                             f"{script}: a script of 1 steps\n")
    assert "bad.tape: line 7: event: must be user" in result.stderr


def test_show_lists_requests_and_lets_no_escape_through(tmp_path: Path) -> None:
    path = write_tape(tmp_path / "a.tape")
    listing, one = tape("show", path), tape("show", path, "1")
    assert "user: count\\x1b[2J\n" in listing.stdout
    assert "   1 llm     POST /v1/chat/completions\n" in listing.stdout
    assert "200, 13 bytes in 1 pieces, 30 ms, cut" in listing.stdout
    assert '"a": [\n' in one.stdout and "data: \\x1b[31m\n" in one.stdout
    assert "\x1b" not in listing.stdout + one.stdout
    assert tape("show", path, "2").returncode == 1
