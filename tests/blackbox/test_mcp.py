"""The MCP endpoint of a pool: JSON-RPC over HTTP, the service's four tools, and what becomes of their environments."""
from __future__ import annotations

import base64
import json
import socket
import time
import uuid
from typing import Any, Iterator

import pytest

from support.client import POOL_PATH, Answer, receive_answer
from support.daemon import Daemon, pool_document, require_daemon, scale

SHELL = "runShellCommandInRemoteEnvironment"
PYTHON = "runPythonCodeInRemoteEnvironment"
NEWEST = "2025-11-25"


class Endpoint:
    """One caller of an MCP endpoint."""

    def __init__(self, daemon: Daemon, pool: str = "default", key: str | None = None) -> None:
        self.client = daemon.client()
        self.path = f"/pools/{pool}/mcp"
        keys = json.loads((daemon.state_directory / "mcp-keys.json").read_text())
        self.key: str = key or keys[pool]

    def post(self, message: Any, **headers: str | None) -> Answer:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request("POST", self.path, body, {
            "Content-Type": "application/json", "Authorization": None, "x-ms-apikey": self.key, **names})

    def ask(self, method: str, params: Any = None, **headers: str | None) -> Any:
        message = {"jsonrpc": "2.0", "id": 1, "method": method}
        if params is not None:
            message["params"] = params
        answer = self.post(message, **headers)
        assert answer.status == 200 and answer.headers["content-type"].startswith("application/json"), answer.text
        assert answer.json["jsonrpc"] == "2.0" and answer.json["id"] == 1
        return answer.json

    def call(self, tool: str, **arguments: Any) -> Any:
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def launch(self) -> str:
        return self.call("launchShell")["result"]["structuredContent"]["environmentId"]

    def shell(self, environment: str, command: str | list[str]) -> Any:
        argument = "shellCommand" if isinstance(command, str) else "execCommandAndArgs"
        result = self.call(SHELL, environmentId=environment, **{argument: command})["result"]
        assert result["isError"] is False, result
        return result["structuredContent"]

    def python(self, environment: str, code: str) -> Any:
        return self.call(PYTHON, environmentId=environment, pythonCode=code)["result"]


def with_mcp(most: int, ready: int) -> dict[str, Any]:
    return {**scale(most, ready), "mcpServerSettings": {"isMCPServerEnabled": True}}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    require_daemon()
    started = Daemon(tmp_path_factory.mktemp("mcp"), pool_document(with_mcp(100, 2)))
    yield started
    started.stop()


@pytest.fixture
def endpoint(daemon: Daemon) -> Iterator[Endpoint]:
    made = Endpoint(daemon)
    yield made
    made.client.close()


# ---- who may ----

def test_only_the_key_opens_the_endpoint(endpoint: Endpoint) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert endpoint.post(ping).status == 200
    for headers in ({"x_ms_apikey": None}, {"x_ms_apikey": endpoint.key[:-1]}, {"x_ms_apikey": endpoint.key + "x"},
                    {"x_ms_apikey": ""}, {"x_ms_apikey": None, "Authorization": f"Bearer {endpoint.key}"}):
        answer = endpoint.post(ping, **headers)
        assert answer.status == 401 and answer.error_code == "Unauthorized", headers
        assert answer.json["error"]["target"] == "x-ms-apikey"
        assert "Bearer" not in answer.headers.get("www-authenticate", "")


def test_a_pool_without_mcp_says_how_to_have_it(shared_daemon: Daemon) -> None:
    with shared_daemon.client() as client:
        answer = client.request("POST", "/mcp", b"{}", {"x-ms-apikey": "0" * 43})
        assert answer.status == 404 and answer.error_code == "ResourceNotFound"
        assert "properties.mcpServerSettings.isMCPServerEnabled" in answer.json["error"]["message"]


def test_every_form_of_the_pool_has_the_endpoint(endpoint: Endpoint) -> None:
    for path in (f"{POOL_PATH}/mcp", "/mcp", "/pools/DEFAULT/MCP/", f"{POOL_PATH}//mcp?api-version=2025-02-02-preview"):
        endpoint.path = path
        assert endpoint.ask("ping")["result"] == {}


# ---- the protocol ----

def test_the_service_s_own_words_without_parameters(endpoint: Endpoint) -> None:
    result = endpoint.ask("initialize")["result"]
    assert result["protocolVersion"] == "2025-03-26"
    assert result["capabilities"] == {"tools": {"call": True, "list": True}}
    assert result["serverInfo"]["name"] == "Microsoft Container Apps MCP Server" and result["serverInfo"]["version"]


@pytest.mark.parametrize("wanted, agreed", [("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"),
                                            ("2025-06-18", "2025-06-18"), (NEWEST, NEWEST), ("2099-01-01", NEWEST)])
def test_a_client_that_negotiates_gets_the_standard_shape(endpoint: Endpoint, wanted: str, agreed: str) -> None:
    params = {"protocolVersion": wanted, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    result = endpoint.ask("initialize", params, MCP_Protocol_Version="2099-01-01")["result"]
    assert result["protocolVersion"] == agreed and result["capabilities"] == {"tools": {"listChanged": False}}
    assert endpoint.ask("ping", MCP_Protocol_Version=agreed)["result"] == {}


def test_an_unknown_version_in_the_header_is_400(endpoint: Endpoint) -> None:
    answer = endpoint.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, MCP_Protocol_Version="2099-01-01")
    assert answer.status == 400 and "MCP-Protocol-Version" in answer.json["error"]["message"]


def test_notifications_and_responses_are_accepted_without_a_word(endpoint: Endpoint) -> None:
    for message in ({"jsonrpc": "2.0", "method": "notifications/initialized"},
                    {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
                    {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "launchShell"}},
                    {"jsonrpc": "2.0", "id": 3, "result": {}}):
        answer = endpoint.post(message)
        assert answer.status == 202 and answer.body == b""


def test_only_post_is_answered(endpoint: Endpoint) -> None:
    for method in ("GET", "DELETE"):
        answer = endpoint.client.request(method, endpoint.path, None,
                                         {"x-ms-apikey": endpoint.key, "Accept": "text/event-stream"})
        assert answer.status == 405 and answer.headers["allow"] == "POST"


@pytest.mark.parametrize("identifier", ['"a"', "0", "-7", "184467440737095516160000", '"\\u00e9\\n"', '""'])
def test_ids_come_back_as_they_were(endpoint: Endpoint, identifier: str) -> None:
    answer = endpoint.post(b'{"jsonrpc":"2.0","method":"ping","id":%s}' % identifier.encode())
    assert answer.text == '{"jsonrpc":"2.0","id":%s,"result":{}}' % identifier


@pytest.mark.parametrize("body, status, code, words", [
    (b"", 400, -32700, "JSON"),
    (b"{", 400, -32700, "JSON"),
    (b"\xff", 400, -32700, "UTF-8"),
    (b"[" * 65 + b"]" * 65, 400, -32700, "64"),
    (b"[]", 400, -32600, "batch"),
    (b"7", 400, -32600, "object"),
    (b'{"id":1,"method":"ping"}', 400, -32600, "jsonrpc"),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400, -32600, "id"),
    (b'{"jsonrpc":"2.0","id":1}', 400, -32600, "method"),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"a"}', 400, -32600, "params"),
    (b'{"jsonrpc":"2.0","id":1,"method":"resources/list"}', 200, -32601, "resources/list"),
    (b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}', 200, -32602, "params"),
    (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rm"}}', 200, -32602, "rm"),
    (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}', 200, -32602, "cursor"),
])
def test_errors_are_those_of_json_rpc(endpoint: Endpoint, body: bytes, status: int, code: int, words: str) -> None:
    answer = endpoint.post(body)
    error = answer.json["error"]
    assert (answer.status, error["code"]) == (status, code) and words in error["message"], error


def test_batches_are_answered_in_the_versions_that_have_them(endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    run = {"jsonrpc": "2.0", "id": "run", "method": "tools/call", "params": {
        "name": SHELL, "arguments": {"environmentId": environment, "shellCommand": "sleep 0.2; echo late"}}}
    batch = [run, {"jsonrpc": "2.0", "method": "notifications/initialized"}, 5,
             {"jsonrpc": "2.0", "id": 2, "method": "ping"}, {"jsonrpc": "2.0", "id": 3, "method": "initialize"}]
    answers = endpoint.post(batch, MCP_Protocol_Version="2025-03-26").json
    assert [answer["id"] for answer in answers] == ["run", None, 2, 3]
    assert answers[0]["result"]["structuredContent"]["stdout"] == "late\n"
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32600, None, -32600]
    assert endpoint.post(batch[1:2]).status == 202

    refused = endpoint.post(batch, MCP_Protocol_Version="2025-06-18")
    assert refused.status == 400 and refused.json["error"]["code"] == -32600


def test_all_tools_are_listed_for_models(endpoint: Endpoint) -> None:
    tools = {tool["name"]: tool for tool in endpoint.ask("tools/list", {})["result"]["tools"]}
    assert set(tools) == {"launchShell", "launchPythonEnvironment", SHELL, PYTHON}
    for tool in tools.values():
        assert tool["description"] and tool["title"] and tool["inputSchema"]["type"] == "object"
    assert set(tools[SHELL]["inputSchema"]["properties"]) == {"environmentId", "shellCommand", "execCommandAndArgs"}
    assert tools[PYTHON]["inputSchema"]["required"] == ["environmentId", "pythonCode"]


# ---- shell commands ----

def test_a_command_answers_with_its_streams_and_exit_code(endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    outcome = endpoint.shell(environment, "pwd; echo 'q\"uo'; echo e >&2; exit 3")
    assert outcome == {"environmentId": environment, "status": "Failed", "stdout": "/mnt/data\nq\"uo\n",
                       "stderr": "e\n", "exitCode": 3}
    outcome = endpoint.shell(environment, "-x; x=1; export y=2; echo kept > file; cd /tmp")
    assert outcome["exitCode"] == 0
    assert endpoint.shell(environment, "pwd; echo [$x$y]; cat file")["stdout"] == "/mnt/data\n[]\nkept\n", "a fresh shell"


def test_text_content_is_the_structured_content(endpoint: Endpoint) -> None:
    result = endpoint.call(SHELL, environmentId=endpoint.launch(), shellCommand="echo '\"a\"'")["result"]
    assert [item["type"] for item in result["content"]] == ["text"]
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


def test_words_run_without_a_shell(endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    words = ["printf", "%s|", "a b", "", "$HOME", "*", "it's"]
    assert endpoint.shell(environment, words)["stdout"] == "a b||$HOME|*|it's|"
    missing = endpoint.shell(environment, ["no-such-program"])
    assert missing["exitCode"] == 127 and "no-such-program" in missing["stderr"]
    assert endpoint.shell(environment, ["/etc/passwd"])["exitCode"] == 126
    assert endpoint.shell(environment, "kill -9 $$")["exitCode"] == 137


def test_output_is_whole_and_may_be_binary(endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    assert endpoint.shell(environment, "printf '\\377\\0x'")["stdout"] == "\ufffd\0x"
    outcome = endpoint.shell(environment, "seq 100000; seq 5 >&2")
    assert outcome["stdout"] == "".join(f"{n}\n" for n in range(1, 100001))
    assert outcome["stderr"] == "1\n2\n3\n4\n5\n"
    assert endpoint.shell(environment, "cat; echo end")["stdout"] == "end\n", "there is no input"


def test_a_command_leaves_no_trace_in_the_notebook(endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    endpoint.python(environment, "6 * 7")
    endpoint.shell(environment, "echo between")
    result = endpoint.python(environment, "(_, len(Out), len(In))")
    assert result["structuredContent"]["executionResult"] == "(42, 1, 3)"


def test_what_a_command_left_running_does_not_hold_up_the_answer(endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    assert endpoint.shell(environment, "sleep 50 & echo begun")["stdout"] == "begun\n"
    assert endpoint.shell(environment, "pgrep -c sleep || true")["stdout"].strip() == "1"


def test_a_command_out_of_time_ends_with_its_children(make_daemon: Any) -> None:
    daemon = make_daemon(with_mcp(2, 1), executionTimeoutSeconds=1)
    endpoint = Endpoint(daemon)
    environment = endpoint.launch()
    endpoint.python(environment, "kept = 5")
    result = endpoint.call(SHELL, environmentId=environment, shellCommand="sleep 50 & echo a; sleep 51")["result"]
    assert result["isError"] is True
    assert result["structuredContent"]["stderr"] == "Request timed out waiting for code execution to complete"
    assert result["structuredContent"]["stdout"] == "a\n" and "exitCode" not in result["structuredContent"]
    assert endpoint.shell(environment, "pgrep -c sleep || true")["stdout"].strip() == "0"
    assert endpoint.python(environment, "kept")["structuredContent"]["executionResult"] == 5
    endpoint.client.close()


@pytest.mark.parametrize("arguments, named", [
    ({}, "environmentId"), ({"environmentId": 5, "shellCommand": "ls"}, "environmentId"),
    ({"environmentId": "abc", "shellCommand": "ls"}, "environmentId"), ({"environmentId": "here"}, "shellCommand"),
    ({"environmentId": "here", "shellCommand": "a", "execCommandAndArgs": ["a"]}, "shellCommand"),
    ({"environmentId": "here", "shellCommand": "a\0b"}, "shellCommand"),
    ({"environmentId": "here", "shellCommand": "x" * 131072}, "shellCommand"),
    ({"environmentId": "here", "execCommandAndArgs": []}, "execCommandAndArgs"),
    ({"environmentId": "here", "execCommandAndArgs": "ls -l"}, "execCommandAndArgs"),
])
def test_a_wrong_argument_is_named(endpoint: Endpoint, arguments: dict[str, Any], named: str) -> None:
    error = endpoint.call(SHELL, **arguments)["error"]
    assert error["code"] == -32602 and error["message"].startswith(f"arguments.{named}: ")


# ---- Python ----

def test_python_keeps_its_state_and_answers_with_the_value(endpoint: Endpoint) -> None:
    environment = endpoint.call("launchPythonEnvironment")["result"]["structuredContent"]["environmentId"]
    assert str(uuid.UUID(environment)) == environment
    endpoint.python(environment, "import math; x = 20")
    result = endpoint.python(environment, "print('hi')\n{'a': x + math.floor(1.5)}")
    assert result["isError"] is False
    assert result["structuredContent"] == {"environmentId": environment, "status": "Succeeded", "stdout": "hi\n",
                                           "stderr": "", "executionResult": "{'a': 21}"}
    assert endpoint.python(environment, "[x, 2]")["structuredContent"]["executionResult"] == [20, 2]


def test_a_program_that_fails_is_an_answer(endpoint: Endpoint) -> None:
    result = endpoint.python(endpoint.launch(), "1 / 0")
    assert result["isError"] is False and result["structuredContent"]["status"] == "Failed"
    assert result["structuredContent"]["stderr"].endswith("ZeroDivisionError: division by zero\n")


def test_a_program_that_failed_for_want_of_a_network_is_told_so(endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    said = "network is disabled in this session; do not retry; ask for the data as a file\n"
    ran = endpoint.python(environment, "import socket; socket.create_connection(('192.0.2.1', 80))")
    assert ran["structuredContent"]["stderr"].endswith("\n" + said)
    assert endpoint.shell(environment, ["curl", "-s", "https://example.com/"])["stderr"].endswith(said)


def test_an_interpreter_that_dies_is_an_error_and_the_next_run_works(endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    result = endpoint.python(environment, "import os; os._exit(3)")
    assert result["isError"] is True and "Execution aborted" in result["structuredContent"]["stderr"]
    assert endpoint.shell(environment, "echo alive")["stdout"] == "alive\n"


def test_a_figure_comes_as_an_image(endpoint: Endpoint) -> None:
    result = endpoint.python(endpoint.launch(), "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    text, image = result["content"]
    assert image["type"] == "image" and image["mimeType"] == "image/png"
    assert base64.b64decode(image["data"], validate=True).startswith(b"\x89PNG")
    assert result["structuredContent"]["executionResult"] == {"type": "image", "format": "png"}
    assert image["data"] not in text["text"]


# ---- environments ----

def test_an_environment_is_a_session_of_that_identifier(daemon: Daemon, endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    endpoint.shell(environment, "echo shared > note.txt")
    with daemon.client(environment) as client:
        assert client.file_names() == ["note.txt"]
        client.run("y = 1")
    assert endpoint.python(environment, "y")["structuredContent"]["executionResult"] == 1


def test_a_launch_makes_no_session(make_daemon: Any) -> None:
    daemon = make_daemon(with_mcp(1, 0))
    endpoint = Endpoint(daemon)
    environments = [endpoint.launch() for _ in range(20)]
    assert len(set(environments)) == 20 and not daemon.named("sandboxd-session")
    assert endpoint.shell(environments[0], "echo first")["stdout"] == "first\n"
    full = endpoint.call(SHELL, environmentId=environments[1], shellCommand="ls")["result"]
    assert full["isError"] is True and "1" in full["content"][0]["text"]
    endpoint.client.close()


def test_an_environment_that_has_gone_is_named(daemon: Daemon, endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    endpoint.shell(environment, "true")
    with daemon.client(environment) as client:
        client.delete_session()
    for _ in range(2):
        result = endpoint.call(SHELL, environmentId=environment, shellCommand="ls")["result"]
        assert result["isError"] is True and environment in result["content"][0]["text"]
        assert "launchShell" in result["content"][0]["text"]


def test_an_environment_of_the_caller_s_own_is_made_when_needed(daemon: Daemon, endpoint: Endpoint) -> None:
    for _ in range(2):
        assert endpoint.shell("my-own-place", "ls")["stdout"] == ""
        endpoint.shell("my-own-place", "touch file")
        with daemon.client("my-own-place") as client:
            client.delete_session()


def test_runs_in_one_environment_wait_for_each_other(daemon: Daemon, endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    messages = [{"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {
        "name": SHELL, "arguments": {"environmentId": environment, "shellCommand": f"sleep 0.1; echo {n} >> order"}}}
        for n in range(4)]
    assert len(endpoint.post(messages).json) == 4
    assert endpoint.shell(environment, "cat order")["stdout"] == "0\n1\n2\n3\n"


def test_a_session_that_is_deleted_under_a_run_is_an_error(daemon: Daemon, endpoint: Endpoint) -> None:
    environment = endpoint.launch()
    code = "import time; time.sleep(50)"
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": PYTHON, "arguments": {"environmentId": environment, "pythonCode": code}}}).encode()
    head = (f"POST {endpoint.path} HTTP/1.1\r\nHost: localhost\r\nx-ms-apikey: {endpoint.key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as connection:
        connection.sendall(head + body)
        time.sleep(0.3)
        with daemon.client(environment) as client:
            client.delete_session()
        result = receive_answer(connection, "POST").json["result"]
    assert result["isError"] is True


# ---- keys ----

ARM = "api-version=2025-02-02-preview"


def test_the_key_comes_from_arm_and_can_be_renewed(make_daemon: Any) -> None:
    daemon = make_daemon(scale(2, 0))
    pool = "/subscriptions/local/resourceGroups/local/providers/Microsoft.App/sessionPools/tools"
    with daemon.client() as client:
        body = {"location": "local", "properties": {"containerType": "PythonLTS", **with_mcp(1, 0)}}
        made = client.request("PUT", f"{pool}?{ARM}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        assert made.status in (200, 201), made.text
        address = made.json["properties"]["mcpServerSettings"]["mcpServerEndpoint"]
        assert address.endswith("/sessionPools/tools/mcp")

        def key(operation: str) -> str:
            answer = client.request("POST", f"{pool}/{operation}?{ARM}", b"")
            assert answer.status == 200, answer.text
            return answer.json["apiKey"]

        first = key("fetchMCPServerCredentials")
        endpoint = Endpoint(daemon, "tools", first)
        endpoint.path = address[address.index("/subscriptions"):]
        environment = endpoint.launch()
        assert endpoint.shell(environment, "echo made by ARM")["stdout"] == "made by ARM\n"

        assert key("regenerateCredentials") != first
        assert endpoint.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 401
        endpoint.key = key("fetchMcpServerCredentials")
        assert endpoint.shell(environment, "echo still there")["stdout"] == "still there\n"

        body["properties"]["mcpServerSettings"]["isMCPServerEnabled"] = False
        client.request("PUT", f"{pool}?{ARM}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        assert endpoint.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 404
        endpoint.client.close()


def test_a_key_outlives_the_daemon(make_daemon: Any) -> None:
    daemon = make_daemon(with_mcp(2, 0))
    before = Endpoint(daemon)
    before.client.close()
    daemon.stop()
    daemon.start()
    after = Endpoint(daemon, key=before.key)
    assert after.ask("ping")["result"] == {}
    after.client.close()
