"""Output that is told while a program runs: an extension, docs/api.md."""
from __future__ import annotations

import json
from typing import Any

import pytest

from conftest import MakeDaemon
from support.client import GENERATION_1, GENERATION_2, LATEST, Answer, Client
from support.events import Event, Stream
from support.processes import wait_until

JSON = {"Content-Type": "application/json"}
FOREVER = "import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.05)"
# Goes on when the client has seen what was printed, which it says by an upload.
IN_STEP = """
import os, time
for step in range(3):
    print('step', step, flush=True)
    while not os.path.exists(f'seen-{step}'): time.sleep(0.01)
"""


def body_of(code: str, **members: Any) -> bytes:
    return json.dumps({"code": code, **members}).encode()


def stream(client: Client, code: str, version: str = LATEST, headers: dict[str, str] | None = None,
           **members: Any) -> Stream:
    return Stream(client, "POST", client.target("executions", version), body_of(code, **members),
                  {**JSON, **(headers or {})})


def follow(client: Client, execution: str) -> Stream:
    return Stream(client, "GET", client.target(f"executions/{execution}"))


def show(client: Client, execution: str) -> Answer:
    return client.request("GET", client.target(f"executions/{execution}"))


def cancel(client: Client, execution: str) -> Answer:
    return client.request("POST", client.target(f"executions/{execution}/cancel"), b"")


def text_of(events: list[Event], name: str = "stdout") -> str:
    return "".join(event.json["text"] for event in events if event.name == name)


def result_of(events: list[Event]) -> dict[str, Any]:
    """The last event of a stream, which is its only result."""
    assert [event.name for event in events if event.name in ("result", "error")] == ["result"]
    assert events[-1].name == "result"
    return events[-1].json


# ---- what is told ----

def test_output_arrives_while_the_program_runs(session: Client) -> None:
    with stream(session, IN_STEP) as running:
        for step in range(3):
            assert running.next_of("stdout").json == {"text": f"step {step}\n"}
            session.upload(f"seen-{step}", b"")
        assert running.next_of("result").json["result"]["stdout"] == "step 0\nstep 1\nstep 2\n"
        assert list(running) == [], "the result is the last event"


@pytest.mark.parametrize("version", [GENERATION_2, "2025-02-02-preview", LATEST])
def test_the_result_is_what_an_answer_without_a_stream_would_be(session: Client, version: str) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); [1, 2]"
    with stream(session, code, version) as running:
        events = list(running)
    assert text_of(events) == "out\n" and text_of(events, "stderr") == "err\n"
    streamed = result_of(events)
    plain = session.request("POST", session.target("executions", version), body_of(code), JSON).json
    for resource in (streamed, plain):
        assert resource.pop("id") and resource["result"].pop("executionTimeInMilliseconds") >= 0
    assert streamed == plain


def test_a_value_of_many_lines_arrives_whole(session: Client) -> None:
    with stream(session, "list(range(100))") as running:
        event = running.next_of("result")
    assert "\n" in event.data and event.json["result"]["executionResult"] == list(range(100))


def test_a_failure_is_a_result(session: Client) -> None:
    with stream(session, "1 / 0") as running:
        resource = result_of(list(running))
    assert resource["status"] == "Failed" and "ZeroDivisionError" in resource["result"]["stderr"]


def test_characters_are_never_cut(session: Client) -> None:
    code = ("import os, time\nfor byte in '\u20ac\u00e9\U0001f600'.encode() * 20:\n"
            "    os.write(1, bytes([byte])); time.sleep(0.002)")
    with stream(session, code) as running:
        events = list(running)
    assert text_of(events) == "\u20ac\u00e9\U0001f600" * 20
    assert len(events) > 2


def test_a_limit_of_the_request_holds_for_events_too(session: Client) -> None:
    with stream(session, "print('\u00e9' * 100)", outputStreamsMaxLength=5) as running:
        events = list(running)
    assert text_of(events) == "\u00e9" * 5 == result_of(events)["result"]["stdout"]


def test_the_connection_serves_the_next_request(session: Client) -> None:
    with stream(session, "print(1)") as running:
        list(running)
        running.connection.request("GET", "/health")
        assert running.connection.getresponse().status == 200


# ---- who gets a stream ----

@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/event-stream",
                                    "text/event-stream, */*;q=0.1", "text/*", ""])
def test_others_get_the_ordinary_answer(session: Client, accept: str) -> None:
    answer = session.request("POST", session.target("executions"), body_of("1"),
                             {**JSON, "Accept": accept})
    assert answer.status == 200 and answer.json["status"] == "Succeeded"
    assert "x-ms-session-guid" in answer.headers


def test_generation_1_and_asynchronous_executions_have_none(session: Client) -> None:
    events = {**JSON, "Accept": "text/event-stream"}
    answer = session.request("POST", session.target("code/execute", GENERATION_1), body_of("1"), events)
    assert answer.json["properties"]["status"] == "Success"
    answer = session.request("POST", session.target("executions"),
                             body_of("1", executionType="Asynchronous"), events)
    assert answer.status == 202 and answer.json["id"]


def test_what_is_wrong_with_a_request_is_an_ordinary_error(session: Client) -> None:
    events = {**JSON, "Accept": "text/event-stream"}
    answer = session.request("POST", session.target("executions"), b"{}", events)
    assert answer.status == 400 and answer.error_code == "SessionPropertiesMissing"
    answer = session.request("GET", session.target("executions/none"), None, events)
    assert answer.status == 404 and answer.error_code == "ExecutionNotFound"


# ---- followers ----

def test_an_execution_is_followed_from_its_start(session: Client) -> None:
    answer = session.request("POST", session.target("executions"),
                             body_of(IN_STEP, executionType="Asynchronous"), JSON)
    execution = answer.json["id"]
    with follow(session, execution) as early:
        assert early.response.getheader("operation-id") == execution
        assert early.next_of("stdout").json == {"text": "step 0\n"}
        session.upload("seen-0", b"")
        assert early.next_of("stdout").json == {"text": "step 1\n"}
        with follow(session, execution) as late:
            assert late.next_of("stdout").json == {"text": "step 0\nstep 1\n"}, "what it has missed"
            session.upload("seen-1", b"")
            session.upload("seen-2", b"")
            for events in (list(early), list(late)):
                assert text_of(events) == "step 2\n"
                assert result_of(events)["id"] == execution
    with follow(session, execution) as after:
        events = list(after)
    assert text_of(events) == "step 0\nstep 1\nstep 2\n" == result_of(events)["result"]["stdout"]


def test_a_waiting_execution_is_followed(session: Client) -> None:
    with stream(session, IN_STEP) as first:
        first.next_of("stdout")
        answer = session.request("POST", session.target("executions"),
                                 body_of("print('mine')", executionType="Asynchronous"), JSON)
        with follow(session, answer.json["id"]) as second:
            for step in range(3):
                session.upload(f"seen-{step}", b"")
            assert text_of(list(second)) == "mine\n"


# ---- ends in the middle ----

def test_the_deadline_ends_a_stream(session: Client) -> None:
    with stream(session, FOREVER, timeoutInSeconds=1) as running:
        events = list(running)
    assert text_of(events) == "begun\n"
    resource = result_of(events)
    assert resource["status"] == "Failed"
    assert resource["result"]["stderr"] == "Request timed out waiting for code execution to complete"


def test_canceling_ends_a_stream(session: Client) -> None:
    with stream(session, FOREVER, headers={"operation-id": "mine"}) as running:
        running.next_of("stdout")
        cancel(session, "mine")
        assert result_of(list(running))["status"] == "Canceled"


def test_removing_the_session_ends_a_stream(session: Client) -> None:
    with stream(session, FOREVER, headers={"operation-id": "mine"}) as running, \
            follow(session, "mine") as follower:
        running.next_of("stdout")
        follower.next_of("stdout")
        session.delete_session()
        for events in (list(running), list(follower)):
            resource = result_of(events)
            assert resource["status"] == "Failed"
            assert "Execution aborted" in resource["result"]["stderr"]


def test_a_stream_that_waited_in_vain_is_an_ordinary_error(session: Client) -> None:
    with stream(session, FOREVER) as first, \
            stream(session, "1", headers={"operation-id": "second"}) as second:
        first.next_of("stdout")
        assert wait_until(lambda: show(session, "second").status == 200)
        session.delete_session()
        assert second.response.status == 503
        assert json.loads(second.response.read())["error"]["code"] == "ServiceUnavailable"
        assert result_of(list(first))["status"] == "Failed"


def test_comments_keep_a_quiet_stream_alive(session: Client) -> None:
    with stream(session, FOREVER) as first:
        first.next_of("stdout")
        with stream(session, "1") as second:
            assert first.next_of("comment") and second.next_of("comment")
            session.delete_session()
            (error,) = list(second)
            assert error.name == "error" and error.json["error"]["code"] == "ServiceUnavailable"


def test_the_death_of_the_interpreter_ends_a_stream(session: Client) -> None:
    with stream(session, "import os; print('last', flush=True); os._exit(3)") as running:
        events = list(running)
    assert text_of(events) == "last\n"
    assert "Execution aborted" in result_of(events)["result"]["stderr"]


def test_the_end_of_the_daemon_ends_a_stream(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    with daemon.client() as client, stream(client, FOREVER) as running:
        running.next_of("stdout")
        daemon.stop()
        assert result_of(list(running))["status"] == "Failed"


# ---- readers that are slow, or go ----

def test_a_reader_that_does_not_read_holds_nothing_up(session: Client) -> None:
    code = "for i in range(400): print('x' * 99999)"
    with stream(session, code, headers={"operation-id": "flood"}) as running:
        assert running.response.status == 200
        assert wait_until(lambda: show(session, "flood").json["status"] == "Succeeded")
        plain = show(session, "flood").json["result"]["stdout"]
        events = list(running)
    dropped = sum(event.json["bytes"] for event in events if event.name == "dropped")
    assert len(text_of(events)) + dropped == 40_000_000 and dropped > 0
    assert result_of(events)["result"]["stdout"] == plain
    assert session.execute("1").succeeded


def test_a_reader_that_goes_leaves_the_program_running(session: Client) -> None:
    with stream(session, IN_STEP, headers={"operation-id": "left"}) as running:
        running.next_of("stdout")
    for step in range(3):
        session.upload(f"seen-{step}", b"")
    assert wait_until(lambda: show(session, "left").json["status"] == "Succeeded")


@pytest.mark.parametrize("begun", [True, False])
def test_a_reader_that_goes_takes_the_program_along_where_it_said_so(session: Client, begun: bool) -> None:
    leave = {"operation-id": "left", "x-sandpool-cancel-on-disconnect": "true"}
    with stream(session, FOREVER, headers={"operation-id": "first"}) as first:
        first.next_of("stdout")
        if begun:
            cancel(session, "first")
            list(first)
        with stream(session, FOREVER, headers=leave) as running:
            if begun:
                running.next_of("stdout")
            else:
                assert wait_until(lambda: show(session, "left").status == 200)
        assert wait_until(lambda: show(session, "left").json["status"] == "Canceled")
        cancel(session, "first")


def test_a_follower_that_goes_disturbs_nobody(session: Client) -> None:
    with stream(session, IN_STEP, headers={"operation-id": "mine"}) as running:
        running.next_of("stdout")
        for _ in range(5):
            with follow(session, "mine") as follower:
                follower.next_of("stdout")
        for step in range(3):
            session.upload(f"seen-{step}", b"")
        assert result_of(list(running))["status"] == "Succeeded"
