"""Settings of the API that a contract case cannot show."""
from __future__ import annotations

import json

from conftest import MakeDaemon
from support.client import LATEST, Answer, Client
from support.daemon import scale


def list_files(client: Client) -> Answer:
    return client.request("GET", client.target("files"))


def location_for(client: Client, **headers: str) -> str:
    body = json.dumps({"code": "1", "executionType": "Asynchronous"}).encode()
    named = {"X-Forwarded-" + name: value for name, value in headers.items()}
    answer = client.request("POST", client.target("executions", LATEST), body, {"Host": "localhost:1", **named})
    assert answer.status == 202, answer.text
    return answer.headers["operation-location"]


def test_a_full_pool_is_429_or_as_it_is_set(make_daemon: MakeDaemon) -> None:
    for api, status in ((None, 429), ({"poolFullStatus": 404}, 404)):
        daemon = make_daemon(scale(1, 0), api)
        with daemon.client() as first, daemon.client() as second:
            assert list_files(first).status == 200
            refused = list_files(second)
        assert refused.status == status
        assert refused.error_code == "SessionPoolMaxConcurrentSessionsReached"
        assert refused.headers["retry-after"] == "30"


def test_forwarded_headers_count_only_where_they_are_trusted(make_daemon: MakeDaemon, session: Client) -> None:
    assert location_for(session, Proto="https", Host="outer.example").startswith("http://localhost:1/executions/")
    with make_daemon(api={"forwardedHeaders": True}).client() as client:
        location = location_for(client, Proto="https", Host="outer.example:8443, inner.example")
        assert location.startswith("https://outer.example:8443/executions/")
        assert location_for(client, Host="not a host").startswith("http://localhost:1/executions/")
        assert location_for(client, Proto="https").startswith("https://localhost:1/executions/")


def test_the_streams_are_kept_up_to_the_limit_that_is_set(make_daemon: MakeDaemon) -> None:
    with make_daemon(api={"outputStreamBytesMax": 1024}).client() as client:
        assert client.run("print('x' * 1023)") == "x" * 1023 + "\n"
        output = client.run("print('a' * 1000 + 'b' * 1000, end='')")
        assert output == "a" * 512 + "\n[976 bytes of output are left out here]\n" + "b" * 512
