"""Executions that are asked about, canceled and left: asynchronous ones and the extensions."""
from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.parse
from typing import Any

import pytest

from conftest import MakeDaemon
from support.client import GENERATION_1, GENERATION_2, LATEST, Answer, Client
from support.processes import wait_until

JSON = {"Content-Type": "application/json"}
FOREVER = "import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.05)"


def post(client: Client, code: str, kind: str = "Asynchronous", version: str = LATEST, **headers: str) -> Answer:
    body = json.dumps({"code": code, "executionType": kind}).encode()
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request("POST", client.target("executions", version), body, {**JSON, **extra})


def show(client: Client, execution: str, version: str = LATEST) -> Answer:
    return client.request("GET", client.target(f"executions/{execution}", version))


def cancel(client: Client, execution: str) -> Answer:
    return client.request("POST", client.target(f"executions/{execution}/cancel"), b"")


def ended(client: Client, execution: str) -> dict[str, Any]:
    assert wait_until(lambda: show(client, execution).json["status"] not in ("NotStarted", "Running"))
    return show(client, execution).json


@pytest.mark.front
def test_an_asynchronous_execution_is_polled_where_its_answer_says(session: Client) -> None:
    session.run("pass")
    answer = post(session, "import time; time.sleep(0.3); print('a'); 1 + 1")
    assert answer.status == 202 and answer.json["status"] == "Running" and "result" not in answer.json
    location = urllib.parse.urlsplit(answer.headers["operation-location"])
    assert location.scheme == "http" and location.netloc
    execution = answer.headers["operation-id"]
    assert answer.json["id"] == execution and location.path.endswith(f"/executions/{execution}")
    target = f"{location.path}?{location.query}"
    assert session.request("GET", target).json["status"] == "Running"
    assert wait_until(lambda: session.request("GET", target).json["status"] == "Succeeded")
    result = session.request("GET", target).json["result"]
    assert result["stdout"] == "a\n" and result["executionResult"] == 2
    assert show(session, execution, GENERATION_2).json["result"]["executionResult"] == "2", "the asker's version"


@pytest.mark.front
def test_a_whole_url_as_target_is_not_repeated_in_the_answer(session: Client) -> None:
    """Clients send one to a proxy, and proxies may pass it on."""
    document = json.dumps({"code": "1", "executionType": "Asynchronous"})
    target = session.target("executions")
    answer = session.raw(
        f"POST http://localhost:{session.port}{target} HTTP/1.1\r\nHost: localhost:{session.port}\r\n"
        f"Authorization: Bearer local\r\nContent-Length: {len(document)}\r\n\r\n{document}".encode())
    assert answer.status == 202, answer.text
    path, _, _ = target.partition("?")
    assert answer.headers["operation-location"].startswith(
        f"http://localhost:{session.port}{path}/{answer.headers['operation-id']}?")


@pytest.mark.front
def test_asynchronous_executions_run_one_after_the_other(session: Client) -> None:
    first = post(session, "import time; time.sleep(0.5); order = [1]").json["id"]
    second = post(session, "order.append(2); order").json
    assert second["status"] == "NotStarted"
    assert ended(session, second["id"])["result"]["executionResult"] == [1, 2]
    assert show(session, first).json["status"] == "Succeeded"


@pytest.mark.front
def test_a_synchronous_execution_can_be_asked_for_by_its_operation_id(session: Client) -> None:
    assert post(session, "40 + 2", "Synchronous", operation_id="mine").status == 200
    assert show(session, "mine").json["result"]["executionResult"] == 42
    again = post(session, "1", operation_id="mine")
    assert again.status == 400 and again.json["error"]["target"] == "operation-id"


@pytest.mark.front
def test_what_is_not_there_is_404_and_makes_no_session(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    before = len(daemon.named("sandboxd-session"))
    with daemon.client() as client:
        for answer in (show(client, "nothing"), cancel(client, "nothing")):
            assert answer.status == 404 and answer.error_code == "ExecutionNotFound"
    assert len(daemon.named("sandboxd-session")) == before


@pytest.mark.front
def test_results_end_with_their_session(session: Client) -> None:
    execution = post(session, FOREVER).json["id"]
    session.delete_session()
    assert show(session, execution).status == 404
    assert session.execute("1").succeeded


@pytest.mark.front
def test_the_last_hundred_are_kept(session: Client) -> None:
    for number in range(101):
        post(session, str(number), "Synchronous", operation_id=f"n-{number}")
    assert show(session, "n-0").status == 404
    assert show(session, "n-1").json["result"]["executionResult"] == 1


def test_a_running_execution_is_canceled_and_variables_stay(session: Client) -> None:
    session.run("kept = 7")
    execution = post(session, FOREVER).json["id"]
    time.sleep(0.3)
    assert cancel(session, execution).status in (200, 202)
    resource = ended(session, execution)
    assert resource["status"] == "Canceled" and resource["result"]["stdout"] == "begun\n"
    assert "KeyboardInterrupt" in resource["result"]["stderr"]
    assert cancel(session, execution).json == resource, "nothing changes any more"
    assert session.execute("kept").value == 7


def test_a_waiting_execution_is_canceled_without_running(session: Client) -> None:
    running = post(session, FOREVER).json["id"]
    waiting = post(session, "ran = True").json["id"]
    answer = cancel(session, waiting)
    assert answer.status == 200 and answer.json["status"] == "Canceled"
    cancel(session, running)
    ended(session, running)
    assert session.execute("'ran' in globals()").value == "False"


def hang_up_during(client: Client, code: str, headers: str) -> None:
    body = json.dumps({"code": code}).encode()
    head = (f"POST {client.target('executions')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\n"
            f"operation-id: left\r\nContent-Length: {len(body)}\r\n{headers}\r\n").encode()
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.sendall(head + body)
        assert wait_until(lambda: show(client, "left").status == 200)


def test_a_client_that_hangs_up_cancels_where_it_said_so(session: Client) -> None:
    hang_up_during(session, FOREVER, "x-sandpool-cancel-on-disconnect: true\r\n")
    assert ended(session, "left")["status"] == "Canceled"


def test_a_client_that_hangs_up_cancels_nothing_otherwise(session: Client) -> None:
    hang_up_during(session, "import time; time.sleep(0.5); 5", "")
    assert ended(session, "left")["result"]["executionResult"] == 5


@pytest.mark.front
def test_generation_1_has_no_asynchronous_executions(session: Client) -> None:
    body = json.dumps({"properties": {"code": "1", "executionType": "asynchronous"}}).encode()
    answer = session.request("POST", session.target("code/execute", GENERATION_1), body, JSON)
    assert answer.status == 400 and answer.error_code == "SessionRequestNotSupported"


def test_a_fresh_front_keeps_the_session_and_forgets_its_executions(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    with daemon.client() as client:
        client.run("kept = 7")
        execution = post(client, "import time; time.sleep(1)").json["id"]
        identifier = client.identifier
    (front,) = daemon.named("sandboxd-front")
    os.kill(front.pid, signal.SIGKILL)
    with daemon.client(identifier) as client:
        assert wait_until(lambda: client.execute("kept").value == 7)
        assert show(client, execution).status == 404
