"""The control plane: pools as resources of Azure, made, changed, deleted, and there after a restart."""
from __future__ import annotations

import base64
import errno
import json
import os
import signal
import subprocess
import threading
import uuid
from pathlib import Path
from typing import Any, Iterator

import pytest

from conftest import MakeDaemon
from support.client import Answer, Client, new_identifier
from support.daemon import Daemon, pool_document, require_daemon, scale
from support.processes import wait_until

ARM_VERSION = "2024-10-02-preview"
STABLE = "2025-07-01"
GROUP = "/subscriptions/s-1/resourceGroups/g-1"
PROVIDER = "/providers/Microsoft.App"
EXECUTOR = "0fb8eba5-a2bb-4abe-b1c1-49dfad359bb0"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ACCESS_ADMIN = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
ENDS_S = 20

# As the Azure CLI sent it in November 2024 (recorded), but for the scale.
CLI_BODY = {
    "location": "eastasia",
    "identity": {"type": "None", "userAssignedIdentities": None},
    "properties": {
        "environmentId": None, "poolManagementType": None, "containerType": "PythonLTS",
        "scaleConfiguration": {"maxConcurrentSessions": 4, "readySessionInstances": None},
        "customContainerTemplate": None, "secrets": None,
        "dynamicPoolConfiguration": {"executionType": "Timed", "cooldownPeriodInSeconds": "300"},
        "sessionNetworkConfiguration": {"status": "EgressDisabled"},
        "managedIdentitySettings": None,
    },
}


def body(most: int = 4, ready: int = 0, **properties: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {**scale(most, ready), **properties}}


def arm_id(name: str, group: str = GROUP) -> str:
    return f"{group}{PROVIDER}/sessionPools/{name}"


def ask(client: Client, method: str, path: str, document: Any = None,
        version: str = ARM_VERSION) -> Answer:
    data = None if document is None else json.dumps(document).encode()
    return client.request(method, f"{path}?api-version={version}", data,
                          {"Content-Type": "application/json"} if data else {})


def on_pool(client: Client, name: str, group: str = GROUP) -> Client:
    """A session of its own in the pool."""
    return Client(client.port, new_identifier(), f"{group}/sessionPools/{name}")


def names(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [item["name"] for item in answer.json["value"]]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    require_daemon()
    one = Daemon(tmp_path_factory.mktemp("arm"), pool_document(scale(4, 0)))
    yield one
    one.stop()


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Client]:
    with daemon.client() as one:
        yield one


@pytest.fixture
def pool(client: Client) -> Iterator[str]:
    """The name of a pool that is there, and gone afterwards."""
    name = f"p-{uuid.uuid4().hex[:12]}"
    assert ask(client, "PUT", arm_id(name), body()).status == 200
    yield name
    ask(client, "DELETE", arm_id(name))


# ---- vector 11, and the life of a pool ----

def test_a_pool_is_made_shown_used_changed_and_deleted(client: Client) -> None:
    made = ask(client, "PUT", arm_id("life"), CLI_BODY)
    assert made.status == 200, made.text
    assert made.headers["content-type"] == "application/json; charset=utf-8"
    assert made.headers["x-ms-request-id"]
    assert STABLE in made.headers["api-supported-versions"]
    resource = made.json
    endpoint = f"http://127.0.0.1:{client.port}{GROUP}/sessionPools/life"
    assert resource["id"] == arm_id("life") and resource["name"] == "life"
    assert resource["type"] == "Microsoft.App/sessionpools" and resource["location"] == "eastasia"
    assert resource["systemData"]["createdAt"].endswith("Z")
    assert resource["identity"] == {"type": "None"}
    assert resource["properties"] == {
        "environmentId": None, "poolManagementType": "Dynamic", "containerType": "PythonLTS",
        "scaleConfiguration": {"maxConcurrentSessions": 4},
        "dynamicPoolConfiguration": {"executionType": "Timed", "cooldownPeriodInSeconds": 300},
        "sessionNetworkConfiguration": {"status": "EgressDisabled"},
        "provisioningState": "Succeeded", "poolManagementEndpoint": endpoint,
        "managedIdentitySettings": [],
    }
    assert ask(client, "GET", arm_id("life")).json == resource

    with on_pool(client, "life") as session:
        assert session.execute("6 * 7").value == 42
        patched = ask(client, "PATCH", arm_id("life"), {
            "tags": {"team": "a"},
            "properties": {"dynamicPoolConfiguration": {
                "lifecycleConfiguration": {"lifecycleType": "Timed",
                                           "cooldownPeriodInSeconds": 600}}}}, STABLE)
        assert patched.status == 200, patched.text
        assert patched.json["tags"] == {"team": "a"}
        assert patched.json["properties"]["dynamicPoolConfiguration"] == {
            "lifecycleConfiguration": {"lifecycleType": "Timed", "cooldownPeriodInSeconds": 600}}
        session.run("kept = 1")
        assert ask(client, "PUT", arm_id("life"), {**body(), "location": "East Asia"}).status == 200
        assert session.execute("kept").value == 1, "the session outlives changes of its pool"

        assert ask(client, "DELETE", arm_id("life")).status == 200
        assert ask(client, "DELETE", arm_id("life")).status == 204
        assert ask(client, "GET", arm_id("life")).error_code == "ResourceNotFound"
        gone = session.request("GET", session.target("files"))
        assert (gone.status, gone.error_code) == (404, "SessionPoolNotFound")


def test_paths_match_in_any_case_and_the_first_spelling_stays(client: Client, pool: str) -> None:
    path = arm_id(pool.upper()).replace("resourceGroups", "RESOURCEGROUPS").replace("App", "app")
    assert ask(client, "GET", path.replace("sessionPools", "sessionpools")).json["name"] == pool
    assert ask(client, "PUT", path, body()).json["id"] == arm_id(pool)


def test_pools_are_listed_by_group_and_by_subscription(client: Client, pool: str) -> None:
    other = "/subscriptions/s-1/resourceGroups/g-2"
    assert ask(client, "PUT", arm_id("elsewhere", other), body()).status == 200
    assert names(ask(client, "GET", f"{GROUP}{PROVIDER}/sessionPools")) == ["default", pool]
    assert names(ask(client, "GET", f"/subscriptions/S-1{PROVIDER}/sessionPools")) == \
        ["default", pool, "elsewhere"]
    assert names(ask(client, "GET", f"/subscriptions/s-2{PROVIDER}/sessionPools")) == ["default"]
    assert ask(client, "DELETE", arm_id("elsewhere", other)).status == 200


def test_pools_of_one_name_in_two_groups_are_two(client: Client, pool: str) -> None:
    other = "/subscriptions/s-1/resourceGroups/g-2"
    assert ask(client, "PUT", arm_id(pool, other), body()).status == 200
    with on_pool(client, pool) as one, on_pool(client, pool, other) as two:
        two.identifier = one.identifier
        one.run("x = 1")
        assert "NameError" in two.execute("x").stderr
    with Client(client.port, new_identifier(), f"/pools/{pool}") as unclear:
        assert "several" in unclear.request("GET", unclear.target("files")).text
    assert ask(client, "DELETE", arm_id(pool, other)).status == 200
    with Client(client.port, one.identifier, f"/pools/{pool}") as short:
        assert short.execute("x").value == 1


def test_pools_of_the_configuration_are_shown_and_not_changed(client: Client) -> None:
    shown = ask(client, "GET", arm_id("default"))
    assert shown.json["id"] == arm_id("default")
    assert shown.json["properties"]["scaleConfiguration"]["maxConcurrentSessions"] == 4
    for method in "PUT", "PATCH", "DELETE":
        answer = ask(client, method, arm_id("default"), None if method == "DELETE" else body())
        assert (answer.status, answer.error_code) == (409, "Conflict")
        assert "configuration" in answer.json["error"]["message"]


def test_a_change_of_scale_counts_at_once(client: Client, pool: str) -> None:
    ask(client, "PATCH", arm_id(pool), {"properties": scale(1, 0)})
    with on_pool(client, pool) as one, on_pool(client, pool) as two:
        one.run("1")
        full = two.request("GET", two.target("files"))
        assert (full.status, full.error_code) == (429, "SessionPoolMaxConcurrentSessionsReached")
        ask(client, "PATCH", arm_id(pool), {"properties": scale(2, 0)})
        two.run("1")


def test_a_deleted_pool_answers_what_runs_in_it_and_is_freed(daemon: Daemon, client: Client,
                                                             pool: str) -> None:
    session = on_pool(client, pool)
    answers: list[Answer] = []

    def run() -> None:
        with session.another() as other:
            code = {"code": "import time; open('began', 'w').close(); time.sleep(100)"}
            other.identifier = session.identifier
            answers.append(other.request("POST", other.target("executions"),
                                         json.dumps(code).encode()))

    runner = threading.Thread(target=run)
    runner.start()
    assert wait_until(lambda: "began" in session.file_names(), ENDS_S)
    assert ask(client, "DELETE", arm_id(pool)).status == 200
    runner.join(ENDS_S)
    assert answers and answers[0].status == 200 and answers[0].json["status"] == "Failed", answers
    assert wait_until(lambda: f"event=pool.freed pool={pool}" in daemon.log_tail(200), ENDS_S)
    assert ask(client, "PUT", arm_id(pool), body()).status == 200, "the name is free again"


def test_pools_come_and_go_under_load(daemon: Daemon, client: Client) -> None:
    client.run("pass")  # sessions are quick from here on
    front = daemon.named("sandboxd-front")[0].pid
    over = threading.Event()
    statuses: set[int] = set()
    broken: list[str] = []

    def use() -> None:
        while not over.is_set():
            with on_pool(client, "churn") as session:
                for code in "open('f', 'w').write('x')", "import time; time.sleep(0.2)":
                    body_of = json.dumps({"code": code}).encode()
                    answer = session.request("POST", session.target("executions"), body_of)
                    statuses.add(answer.status)
                    if answer.status != 200 and "code" not in answer.json["error"]:
                        broken.append(answer.text)
                statuses.add(session.upload("g", b"y" * 100_000).status)

    users = [threading.Thread(target=use) for _ in range(3)]
    for user in users:
        user.start()
    for i in range(8):
        assert ask(client, "PUT", arm_id("churn"), body(4, i % 2)).status == 200
        wait_until(over.is_set, 0.3)
        assert ask(client, "PATCH", arm_id("churn"), {"properties": scale(3, 0)}).status == 200
        wait_until(over.is_set, 0.2)
        assert ask(client, "DELETE", arm_id("churn")).status == 200
    over.set()
    for user in users:
        user.join(ENDS_S)
    assert not broken and statuses <= {200, 404, 429, 503}, statuses
    assert {200, 404} <= statuses
    assert daemon.named("sandboxd-front")[0].pid == front
    assert wait_until(lambda: daemon.log_path.read_text().count("event=pool.freed pool=churn") == 8,
                      ENDS_S)
    assert client.execute("1 + 1").value == 2


# ---- what is refused ----

@pytest.mark.parametrize("document, status, code, named", [
    (b"{", 400, "InvalidRequestContent", "JSON"),
    (b"", 400, "InvalidRequestContent", "JSON"),
    (b"[]", 400, "InvalidRequestContent", "object"),
    (b"{\"properties\":{}}", 400, "LocationRequired", "location"),
    (body(0), 400, "InvalidRequestContent", "properties.scaleConfiguration.maxConcurrentSessions"),
    (body(2, 3), 400, "SessionPoolInvalidReadySessionInstances", "readySessionInstances"),
    (body(20001), 400, "InvalidRequestContent", "maxConcurrentSessions"),
    (body(601), 409, "QuotaExceeded", "maxConcurrentSessions"),
    (body(sandpool={"sessionMemoryBytes": 1 << 31}), 409, "QuotaExceeded", "sessionMemoryBytes"),
    (body(sandpool={"cpuPercent": 200}), 409, "QuotaExceeded", "cpuPercent"),
    (body(containerType="NodeLTS"), 400, "SessionTypeNotSupportedInRegion", "PythonLTS"),
    (body(containerType="Shell"), 400, "SessionTypeNotSupportedInRegion", "PythonLTS"),
    (body(containerType="CustomContainer"), 400, "SessionTypeNotSupportedInRegion", "PythonLTS"),
    (body(poolManagementType="Manual"), 400, "SessionTypeNotSupportedInRegion", "Dynamic"),
    (body(sessionNetworkConfiguration={"status": "Open"}), 400, "InvalidRequestContent",
     "EgressEnabled"),
    (body(sandpool={"egressAllow": ["203.0.113.0/24"]}), 400, "InvalidRequestContent",
     "properties.sandpool.egressAllow"),
    (body(dynamicPoolConfiguration={"lifecycleConfiguration": {
        "lifecycleType": "OnContainerExit"}}), 400, "SessionTypeNotSupportedInRegion", "Timed"),
    (body(dynamicPoolConfiguration={"cooldownPeriodInSeconds": 20}), 400, "InvalidRequestContent",
     "300 to 3600"),
    (body(sandpool={"colour": 1}), 400, "InvalidRequestContent", "properties.sandpool.colour"),
    ({**body(), "name": "other"}, 400, "InvalidRequestContent", "name"),
    ({**body(), "padding": "x" * 70000}, 413, "RequestEntityTooLarge", "65536"),
])
def test_a_bad_body_is_an_error_that_names_the_member(client: Client, document: Any, status: int,
                                                      code: str, named: str) -> None:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    answer = client.request("PUT", f"{arm_id('bad')}?api-version={ARM_VERSION}", data)
    assert (answer.status, answer.error_code) == (status, code), answer.text
    assert named in answer.json["error"]["message"]
    assert ask(client, "GET", arm_id("bad")).status == 404


def test_requests_about_nothing_are_refused_in_words_of_arm(client: Client, pool: str) -> None:
    path = arm_id(pool)
    missing = client.request("GET", path)
    assert (missing.status, missing.error_code) == (400, "MissingApiVersionParameter")
    odd = client.request("GET", f"{path}?api-version=latest")
    assert (odd.status, odd.error_code) == (400, "InvalidApiVersionParameter")
    nobody = client.request("GET", f"{path}?api-version={STABLE}", headers={"Authorization": None})
    assert (nobody.status, nobody.error_code) == (401, "AuthenticationFailed")
    assert nobody.headers["www-authenticate"] == "Bearer"
    for name in "a%20b", "a%2Fb", "x" * 65:
        assert ask(client, "PUT", arm_id(name), body()).error_code == "InvalidRequestContent"
    assert ask(client, "PATCH", arm_id("nobody"), {}).error_code == "ResourceNotFound"
    moved = ask(client, "PUT", path, {**body(), "location": "eastus"})
    assert (moved.status, moved.error_code) == (409, "InvalidResourceLocation")


def test_the_number_of_pools_is_bounded(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(1, 0))
    with daemon.client() as client:
        for i in range(63):
            assert ask(client, "PUT", arm_id(f"p-{i}"), body(1)).status == 200
        full = ask(client, "PUT", arm_id("one-more"), body(1))
        assert (full.status, full.error_code) == (409, "QuotaExceeded")
        assert ask(client, "DELETE", arm_id("p-5")).status == 200
        assert ask(client, "PUT", arm_id("one-more"), body(1)).status == 200


# ---- restarts ----

def test_pools_keys_and_roles_survive_a_restart(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0))
    role = f"{arm_id('kept')}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    document = body(3, 1, mcpServerSettings={"isMCPServerEnabled": True})
    with daemon.client() as client:
        before = ask(client, "PUT", arm_id("kept"), document, STABLE).json
        key = ask(client, "POST", f"{arm_id('kept')}/fetchMCPServerCredentials", {}).json
        ask(client, "PUT", arm_id("dropped"), body())
        ask(client, "DELETE", arm_id("dropped"))
        ask(client, "PUT", role, {"properties": {"roleDefinitionId": EXECUTOR,
                                                 "principalId": str(uuid.uuid4())}})
    for broken in "pool-broken.json", "pool-.json":
        (daemon.state_directory / broken).write_text("{")
        (daemon.state_directory / broken).chmod(0o600)
    daemon.stop()
    daemon.start()
    with daemon.client() as client:
        after = ask(client, "GET", arm_id("kept"), version=STABLE).json
        for document in before, after:
            for member in "poolManagementEndpoint", "mcpServerSettings":
                document["properties"].pop(member)  # the port is another
        assert after == before
        assert ask(client, "POST", f"{arm_id('kept')}/fetchMCPServerCredentials").json == key
        assert ask(client, "GET", arm_id("dropped")).status == 404
        assert ask(client, "GET", role).status == 200
        assert on_pool(client, "kept").execute("1 + 1").value == 2
        assert "event=pool.not_loaded file=pool-broken.json" in daemon.log_tail(200)
        assert ask(client, "DELETE", arm_id("kept")).status == 200
        assert ask(client, "GET", role).error_code == "RoleAssignmentNotFound"
    kept = {path.name for path in daemon.state_directory.iterdir()}
    assert {name for name in kept if name.startswith("pool-")} == {"pool-broken.json", "pool-.json"}


def test_sessions_of_a_pool_survive_the_end_of_the_front(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0))
    other = "/subscriptions/s-1/resourceGroups/g-2"
    with daemon.client() as client:
        for group in GROUP, other:
            assert ask(client, "PUT", arm_id("kept", group), body()).status == 200
        one, two = on_pool(client, "kept"), on_pool(client, "kept", other)
        two.identifier = one.identifier
        one.run("x = 'one'")
        two.run("x = 'two'")
        front = daemon.named("sandboxd-front")[0]
        os.kill(front.pid, signal.SIGKILL)
        assert wait_until(lambda: not front.is_alive(), ENDS_S)
        one.close()
        two.close()
        assert (one.execute("x").value, two.execute("x").value) == ("'one'", "'two'")


# ---- MCP keys, the provider, roles ----

def test_the_key_of_an_mcp_server_is_given_and_replaced(client: Client, pool: str) -> None:
    path = arm_id(pool)
    off = ask(client, "POST", f"{path}/fetchMCPServerCredentials")
    assert (off.status, off.error_code) == (400, "McpServerNotEnabled")
    on = ask(client, "PATCH", path, {"properties": {"mcpServerSettings": {
        "isMCPServerEnabled": True}}}, "2025-02-02-preview")
    settings = on.json["properties"]["mcpServerSettings"]
    assert settings == {"isMCPServerEnabled": True, "mcpServerEndpoint":
                        f"http://127.0.0.1:{client.port}{GROUP}/sessionPools/{pool}/mcp"}
    first = ask(client, "POST", f"{path}/fetchMcpServerCredentials").json["apiKey"]
    assert len(first) == 43
    assert ask(client, "POST", f"{path}/fetchMCPServerCredentials").json["apiKey"] == first
    second = ask(client, "POST", f"{path}/regenerateCredentials").json["apiKey"]
    assert second != first
    ping = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
    for key, status in (first, 401), (second, 200):
        answer = client.request("POST", f"{GROUP}/sessionPools/{pool}/mcp", ping,
                                {"x-ms-apikey": key, "Authorization": None,
                                 "Content-Type": "application/json"})
        assert answer.status == status
    assert ask(client, "POST", f"{path}/fetchMCPServerCredentials").json["apiKey"] == second


def test_the_provider_is_registered_and_lists_places_and_versions(client: Client) -> None:
    answer = ask(client, "GET", f"/subscriptions/s-1{PROVIDER}", version="2024-11-01")
    provider = answer.json
    assert provider["registrationState"] == "Registered"
    kind, = provider["resourceTypes"]
    assert sorted(kind["apiVersions"]) == answer.headers["api-supported-versions"].split(", ")
    assert kind["resourceType"] == "sessionPools"
    assert "North Central US (Stage)" in kind["locations"] and ARM_VERSION in kind["apiVersions"]


def test_role_assignments_are_made_shown_listed_and_deleted(client: Client, pool: str) -> None:
    principal = str(uuid.uuid4())
    roles = f"{arm_id(pool)}/providers/Microsoft.Authorization/roleAssignments"
    name = str(uuid.uuid4())
    definition = f"/subscriptions/s-1/providers/Microsoft.Authorization/roleDefinitions/{EXECUTOR}"
    document = {"properties": {"roleDefinitionId": definition, "principalId": principal,
                               "principalType": "ServicePrincipal"}}
    made = ask(client, "PUT", f"{roles}/{name}", document, "2022-04-01")
    assert made.status == 201, made.text
    assert made.json == {
        "id": f"{roles}/{name}", "name": name, "type": "Microsoft.Authorization/roleAssignments",
        "properties": {**document["properties"], "scope": arm_id(pool)}}
    assert ask(client, "GET", f"{roles}/{name}", version="2022-04-01").json["name"] == name
    twin = ask(client, "PUT", f"{roles}/{uuid.uuid4()}", document, "2022-04-01")
    assert (twin.status, twin.error_code) == (409, "RoleAssignmentExists")
    assert names(ask(client, "GET", roles, version="2022-04-01")) == [name]
    above = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments"
    found = client.request("GET", f"{above}?api-version=2022-04-01"
                                  f"&$filter=principalId%20eq%20'{principal}'")
    assert names(found) == [name]
    bad = ask(client, "PUT", f"{roles}/not-a-guid", document, "2022-04-01")
    assert (bad.status, bad.error_code) == (400, "InvalidRequestContent")
    empty = ask(client, "PUT", f"{roles}/{name}", {}, "2022-04-01")
    assert "properties.roleDefinitionId" in empty.json["error"]["message"]
    assert ask(client, "DELETE", f"{roles}/{name}", version="2022-04-01").status == 200
    assert ask(client, "DELETE", f"{roles}/{name}", version="2022-04-01").status == 204
    assert names(ask(client, "GET", roles, version="2022-04-01")) == []


def unsigned_token(principal: str) -> str:
    """Names a principal; in mode "any" its word is taken."""
    def part(document: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")
    return f"Bearer {part({'alg': 'RS256', 'typ': 'JWT'})}.{part({'oid': principal})}.c2ln"


def test_an_assignment_acts_at_once_where_roles_are_in_force(make_daemon: MakeDaemon) -> None:
    admin, contributor, user = str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4())
    configured = str(uuid.uuid4())

    def at_subscription(principal: str, role: str, name: str | None = None) -> dict[str, str]:
        return {"name": name or str(uuid.uuid4()), "principalId": principal, "roleDefinitionId": role,
                "scope": "/subscriptions/s-1"}
    daemon = make_daemon(document={
        **pool_document(scale(2, 0)),
        "roleAssignments": [at_subscription(admin, ACCESS_ADMIN, configured),
                            at_subscription(contributor, CONTRIBUTOR)]})
    roles = f"{arm_id('shared')}/providers/Microsoft.Authorization/roleAssignments"

    def ask_as(client: Client, principal: str, method: str, path: str, document: Any) -> Answer:
        return client.request(method, f"{path}?api-version={ARM_VERSION}",
                              json.dumps(document).encode(),
                              {"Authorization": unsigned_token(principal)})

    with daemon.client() as client:
        refused = ask_as(client, user, "PUT", arm_id("shared"), body())
        assert (refused.status, refused.error_code) == (403, "AuthorizationFailed")
        assert ask_as(client, admin, "PUT", arm_id("shared"), body()).status == 403
        assert ask_as(client, contributor, "PUT", arm_id("shared"), body()).status == 200
        session = on_pool(client, "shared")

        def status() -> int:
            return session.request("GET", session.target("files"),
                                   headers={"Authorization": unsigned_token(user)}).status

        assert status() == 403
        document = {"properties": {"roleDefinitionId": EXECUTOR, "principalId": user}}
        name = str(uuid.uuid4())
        # As in Azure: who may change everything may not say who else may.
        itself = {"properties": {"roleDefinitionId": OWNER, "principalId": contributor}}
        refused = ask_as(client, contributor, "PUT", f"{roles}/{name}", itself)
        assert refused.status == 403 and ACCESS_ADMIN in refused.json["error"]["message"]
        assert ask_as(client, admin, "PUT", f"{roles}/{name}", document).status == 201
        assert status() == 200
        assert ask_as(client, admin, "DELETE", f"{roles}/{name}", {}).status == 200
        assert status() == 403
        top = f"/subscriptions/s-1/providers/Microsoft.Authorization/roleAssignments/{configured}"
        assert ask_as(client, admin, "DELETE", top, {}).error_code == "Conflict"


def test_a_principal_without_a_role_still_finds_the_subscription(make_daemon: MakeDaemon) -> None:
    """The Azure CLI asks for it when it logs in, before it knows what the principal may do."""
    daemon = make_daemon(document={**pool_document(scale(1, 0)), "roleAssignments": []})

    def ask_with(client: Client, token: str | None, path: str) -> Answer:
        return client.request("GET", f"{path}?api-version={ARM_VERSION}", headers={"Authorization": token})

    token = unsigned_token(str(uuid.uuid4()))
    with daemon.client() as client:
        found = ask_with(client, token, "/subscriptions")
        assert found.status == 200 and found.json["value"][0]["subscriptionId"] == "local"
        assert ask_with(client, token, "/subscriptions/local").status == 200
        assert ask_with(client, None, "/subscriptions").error_code == "AuthenticationFailed"
        assert ask_with(client, token, f"/subscriptions/local{PROVIDER}/sessionPools").status == 403


def test_assignments_that_cannot_be_read_are_not_written_over(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0))
    roles = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments"
    document = {"properties": {"roleDefinitionId": EXECUTOR, "principalId": str(uuid.uuid4())}}
    with daemon.client() as client:
        assert ask(client, "PUT", f"{roles}/{uuid.uuid4()}", document).status == 201
    daemon.stop()
    file = daemon.state_directory / "role-assignments.json"
    before = file.read_text()
    file.chmod(0o644)
    daemon.start()
    assert "event=role_assignments.not_loaded" in daemon.log_tail(100)
    with daemon.client() as client:
        refused = ask(client, "PUT", f"{roles}/{uuid.uuid4()}", document)
        assert refused.error_code == "Conflict" and "role-assignments.json" in refused.text
    assert file.read_text() == before


# ---- a full disk ----

@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that a test may fill."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", str(disk)],
                   check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC
    return filler


def test_on_a_full_disk_nothing_changes_and_the_client_is_told(small_disk: Path,
                                                               make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0), arguments=["--state-dir", str(small_disk / "state")])
    role = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    mcp = {"mcpServerSettings": {"isMCPServerEnabled": True}}

    def assignment(kind: str) -> dict[str, Any]:
        return {"properties": {"roleDefinitionId": kind, "principalId": str(uuid.uuid4())}}

    with daemon.client() as client:
        executed = client.execute("x = 1")
        assert executed.succeeded
        assert ask(client, "PUT", arm_id("old"), body(**mcp)).status == 200
        assert ask(client, "PUT", role, assignment(EXECUTOR)).status == 201
        shown, key = ask(client, "GET", arm_id("old")).json, f"{arm_id('old')}/regenerateCredentials"
        filler = fill(small_disk)
        for method, path, document in (("PUT", arm_id("new"), body(**mcp)),
                                       ("PATCH", arm_id("old"), {"tags": {"a": "b"}}),
                                       ("POST", key, None),
                                       ("PUT", role, assignment(CONTRIBUTOR))):
            answer = ask(client, method, path, document)
            assert (answer.status, answer.error_code) == (507, "InsufficientStorage"), answer.text
            assert "No space left" in answer.text
        assert ask(client, "GET", arm_id("old")).json == shown
        assert ask(client, "GET", arm_id("new")).status == 404

        front = daemon.named("sandboxd-front")[0]
        os.kill(front.pid, signal.SIGKILL)
        assert wait_until(lambda: not front.is_alive(), ENDS_S)
    with daemon.client(executed.answer.json["identifier"]) as client:
        assert client.execute("x").value == 1, "the front starts anew on a full disk"
        filler.unlink()
        other = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        assert ask(client, "PUT", other, assignment(EXECUTOR)).status == 201
    kept = json.loads((small_disk / "state/role-assignments.json").read_text())
    assert [item["roleDefinitionId"] for item in kept] == [EXECUTOR, EXECUTOR]
    keys = json.loads((small_disk / "state/mcp-keys.json").read_text())
    assert list(keys) == [arm_id("old")]


# ---- configuration ----

def test_what_arm_shows_can_stand_in_the_configuration(make_daemon: MakeDaemon, client: Client,
                                                       pool: str) -> None:
    shown = ask(client, "GET", arm_id(pool)).json
    other = make_daemon(document={"pools": [shown]})
    with other.client() as configured:
        again = ask(configured, "GET", arm_id(pool)).json
        assert again["properties"]["scaleConfiguration"] == \
            shown["properties"]["scaleConfiguration"]
        assert on_pool(configured, pool).execute("1 + 1").value == 2
        assert configured.execute("1 + 1").value == 2, "it is the default pool too"
        elsewhere = on_pool(configured, pool, "/subscriptions/s-2/resourceGroups/g-1")
        assert elsewhere.request("GET", elsewhere.target("files")).status == 404
        assert ask(configured, "DELETE", arm_id(pool)).error_code == "Conflict"
