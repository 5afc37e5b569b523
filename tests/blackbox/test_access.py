"""Who may pass: HTTPS, --auth, role assignments, --host, and the state directory behind them."""
from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeDaemon
from support.client import POOL_PATH, Answer, Client
from support.daemon import BUILD, Daemon, free_port, pool_document, require_daemon, scale

PRINCIPAL = "33333333-3333-3333-3333-333333333333"  # of the managed identity endpoint
RESOURCE = "https://dynamicsessions.io"
EXECUTOR = "0fb8eba5-a2bb-4abe-b1c1-49dfad359bb0"
POOL = "/subscriptions/local/resourceGroups/local/providers/Microsoft.App/sessionPools/default"
TIMEOUT_S = 30


def printed(daemon: Daemon, *arguments: str) -> str:
    return subprocess.run([str(BUILD / "bin/sandboxd"), *arguments, "--state-dir",
                           str(daemon.state_directory)], check=True, capture_output=True, text=True,
                          timeout=TIMEOUT_S).stdout.strip()


def environment(daemon: Daemon, *arguments: str) -> dict[str, str]:
    lines = printed(daemon, "env", "--shell", "dotenv", *arguments).splitlines()
    return {name: value.strip("'\"") for name, _, value in (line.partition("=") for line in lines)}


def execute(client: Client, token: str | None) -> Answer:
    return client.request("POST", client.target("executions"), json.dumps({"code": "1 + 1"}).encode(),
                          {"Authorization": f"Bearer {token}" if token else None})


def identity_token(daemon: Daemon, **query: str) -> dict[str, Any]:
    """As Azure's managed identity credential asks for one."""
    variables = environment(daemon)
    parameters = {"api-version": "2019-08-01", "resource": "https://dynamicsessions.io", **query}
    request = urllib.request.Request(
        variables["IDENTITY_ENDPOINT"] + "?" + urllib.parse.urlencode(parameters),
        headers={"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)


# ---- tokens ----

def test_none_wants_no_token(make_daemon: MakeDaemon) -> None:
    with make_daemon(scale(2, 0), arguments=["--auth", "none"]).client() as client:
        assert execute(client, None).status == 200


@pytest.mark.parametrize("kept, added, broken", [
    ({"IDENTITY_ENDPOINT", "IDENTITY_HEADER"}, {}, "IDENTITY_HEADER"),
    ({"AZURE_AUTHORITY_HOST"}, {"AZURE_TENANT_ID": "adfs", "AZURE_CLIENT_SECRET": "any", "AZURE_CLIENT_ID": PRINCIPAL},
     "AZURE_CLIENT_ID"),
])
def test_sandpool_finds_an_identity_as_azures_libraries_do(make_daemon: MakeDaemon, tmp_path: Path, kept: set[str],
                                                            added: dict[str, str], broken: str) -> None:
    daemon = make_daemon(scale(2, 0), arguments=["--auth", "jwt"])
    kept = kept | {"POOL_MANAGEMENT_ENDPOINT", "SSL_CERT_FILE"}
    variables = added | {name: value for name, value in environment(daemon).items() if name in kept}

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([BUILD / "bin/sandpool", "exec", "-c", "6 * 7"], text=True, cwd=tmp_path, timeout=TIMEOUT_S,
                              env={"PATH": os.environ["PATH"], **variables, **more}, capture_output=True)

    done = run()
    assert (done.stderr, done.stdout) == ("", "42\n")
    wrong = "not-the-secret-7f3a"
    done = run(**{broken: wrong})
    assert done.returncode == 3 and "no credential for https://dynamicsessions.io/.default" in done.stderr
    assert broken == "AZURE_CLIENT_ID" or wrong not in done.stderr



def test_jwt_accepts_what_the_daemon_issues_and_nothing_else(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0), arguments=["--auth", "jwt"])
    token = identity_token(daemon)["access_token"]
    with daemon.client() as client:
        assert execute(client, token).status == 200
        assert execute(client, printed(daemon, "token")).status == 200
        assert execute(client, "local").status == 401
        forged = token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
        assert execute(client, forged).status == 401
        late = execute(client, printed(daemon, "token", "--lifetime", "0"))
        assert late.status == 401 and "expired" in late.text
        wrong = execute(client, printed(daemon, "token", "--resource", "https://vault.azure.net"))
        assert wrong.status == 401
        assert "https://vault.azure.net" in wrong.text and "https://dynamicsessions.io" in wrong.text


def own_address() -> str:
    """One of this machine that is not loopback: what is sent from it looks like another machine's."""
    shown = subprocess.run(["ip", "-json", "-4", "address"], capture_output=True, text=True, check=True)
    addresses = [address["local"] for interface in json.loads(shown.stdout)
                 for address in interface["addr_info"] if not address["local"].startswith("127.")]
    if not addresses:
        pytest.skip("this machine has loopback addresses only")
    return addresses[0]


def test_with_jwt_other_machines_get_no_token_without_the_secret(make_daemon: MakeDaemon) -> None:
    source = (own_address(), 0)
    daemon = make_daemon(scale(2, 0), arguments=["--auth", "jwt"])
    variables = environment(daemon)
    identity = f"/metadata/identity/oauth2/token?{urllib.parse.urlencode({'resource': RESOURCE})}"

    def ask(method: str, path: str, body: str | None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, TIMEOUT_S, source)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.load(answer)

    def ask_as_client(**credential: str) -> tuple[int, Any]:
        form = {"grant_type": "client_credentials", "client_id": PRINCIPAL,
                "scope": f"{RESOURCE}/.default", **credential}
        return ask("POST", "/a-tenant/oauth2/v2.0/token", urllib.parse.urlencode(form))

    for status, answer in (ask_as_client(client_secret="any"), ask_as_client(client_assertion="any"),
                           ask("GET", identity, None, Metadata="true")):
        assert (status, answer["error"]) == (401, "invalid_client")
        assert "IDENTITY_HEADER" in answer["error_description"]
    status, answer = ask_as_client(client_secret=variables["IDENTITY_HEADER"])
    assert status == 200
    with daemon.client() as client:
        assert execute(client, answer["access_token"]).status == 200


def test_tokens_outlive_the_daemon(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0), arguments=["--auth", "jwt"])
    token, before = printed(daemon, "token"), environment(daemon)
    daemon.stop()
    daemon.start()
    with daemon.client() as client:
        assert execute(client, token).status == 200
    assert environment(daemon)["IDENTITY_HEADER"] == before["IDENTITY_HEADER"]


def test_the_front_keeps_its_keys_when_it_is_started_again(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0), arguments=["--auth", "jwt"])
    token = printed(daemon, "token")
    with daemon.client() as client:
        assert execute(client, token).status == 200
        front, = daemon.named("sandboxd-front")
        os.kill(front.pid, signal.SIGKILL)
        client.close()
        assert execute(client, token).status == 200


def test_the_identity_endpoint_wants_its_header(shared_daemon: Daemon) -> None:
    with shared_daemon.client() as client:
        target = "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fdynamicsessions.io"
        answer = client.request("GET", target, headers={"X-IDENTITY-HEADER": "guess"})
        assert answer.status == 401 and "IDENTITY_HEADER" in answer.text


# ---- roles ----

def assignment(principal: str, scope: str = POOL) -> dict[str, Any]:
    """As `az role assignment list` prints it."""
    return {"principalId": principal, "principalType": "ServicePrincipal", "condition": None, "scope": scope,
            "roleDefinitionId": f"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{EXECUTOR}"}


@pytest.mark.parametrize("scope", [POOL, "/subscriptions/LOCAL", "/"])
def test_a_principal_with_the_role_passes(make_daemon: MakeDaemon, scope: str) -> None:
    document = {**pool_document(scale(2, 0)), "roleAssignments": [assignment(PRINCIPAL, scope)]}
    daemon = make_daemon(document=document, arguments=["--auth", "jwt"])
    with daemon.client() as client:
        assert execute(client, identity_token(daemon)["access_token"]).status == 200


def test_a_principal_without_the_role_is_told_which(make_daemon: MakeDaemon) -> None:
    document = {**pool_document(scale(2, 0)), "roleAssignments": []}
    daemon = make_daemon(document=document, arguments=["--auth", "jwt"])
    with daemon.client() as client:
        answer = execute(client, identity_token(daemon)["access_token"])
    assert answer.status == 403 and answer.error_code == "Forbidden"
    for part in (PRINCIPAL, "Azure ContainerApps Session Executor", EXECUTOR, POOL):
        assert part in answer.json["error"]["message"]


# ---- TLS ----

def ask_https(port: int, host: str, context: ssl.SSLContext) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as plain, \
            context.wrap_socket(plain, server_hostname=host) as connection:
        connection.sendall(f"GET /health HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "sandbox.example"])
def test_the_development_authority_vouches_for_every_name(make_daemon: MakeDaemon, host: str) -> None:
    daemon = make_daemon(scale(1, 0), arguments=["--host", "sandbox.example"])
    context = ssl.create_default_context(cafile=printed(daemon, "ca"))
    assert ask_https(daemon.https_port, host, context).startswith(b"HTTP/1.1 200 ")
    with pytest.raises(ssl.SSLCertVerificationError):
        ask_https(daemon.https_port, "other.example", context)


def test_an_ordinary_user_can_read_what_env_names(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(1, 0))
    variables = environment(daemon)
    mode = daemon.state_directory.stat().st_mode & 0o777
    assert mode == 0o711
    for name in ("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        assert Path(variables[name]).stat().st_mode & 0o777 == 0o644, name
    for secret in ("issuer.key", "identity-header", "ca.key", "server.key"):
        assert (daemon.state_directory / secret).stat().st_mode & 0o777 == 0o600, secret


def make_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True, timeout=TIMEOUT_S)
    key.chmod(0o600)
    return certificate, key


def test_a_certificate_of_the_users_own(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "own.example")
    daemon = make_daemon(scale(1, 0), arguments=["--tls-cert", str(certificate), "--tls-key", str(key),
                                                 "--host", "own.example"])
    context = ssl.create_default_context(cafile=str(certificate))
    assert ask_https(daemon.https_port, "own.example", context).startswith(b"HTTP/1.1 200 ")


def test_without_https_env_names_the_plain_listener(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(1, 0), arguments=["--listen-https", "none"])
    variables = environment(daemon)
    assert variables["POOL_MANAGEMENT_ENDPOINT"].startswith(f"http://127.0.0.1:{daemon.port}/")
    assert "AZURE_AUTHORITY_HOST" not in variables and "SSL_CERT_FILE" not in variables


@pytest.mark.parametrize("command", [["curl", "-fsS", "{origin}/health"],
                                     [str(BUILD / "bin/sandpool"), "exec", "-c", "print('healthy')"]])
def test_command_line_clients_need_nothing_but_env(make_daemon: MakeDaemon, command: list[str]) -> None:
    daemon = make_daemon(scale(2, 0))
    words = [word.format(origin=f"https://127.0.0.1:{daemon.https_port}") for word in command]
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, env={**bare, **environment(daemon)})
    assert done.returncode == 0 and "healthy" in done.stdout, done.stderr
    distrusting = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, env={
        **bare, "POOL_MANAGEMENT_ENDPOINT": environment(daemon)["POOL_MANAGEMENT_ENDPOINT"]})
    assert distrusting.returncode != 0 and "certificate" in distrusting.stderr


def test_env_names_the_tool_server_of_a_pool_that_is_one(make_daemon: MakeDaemon) -> None:
    tools = {"mcpServerSettings": {"isMCPServerEnabled": True}}
    exact = "/subscriptions/S/resourceGroups/G/providers/Microsoft.App/sessionPools/exact"
    daemon = make_daemon(document={"pools": [{"name": "default", "properties": tools}, {"name": "plain"},
                                             {"name": "exact", "id": exact, "properties": tools}]})
    keys = json.loads((daemon.state_directory / "mcp-keys.json").read_text())
    assert environment(daemon)["MCP_API_KEY"] == keys["default"]
    assert environment(daemon)["MCP_ENDPOINT"] == f"https://127.0.0.1:{daemon.https_port}{POOL_PATH}/mcp"
    assert "MCP_API_KEY" not in environment(daemon, "--pool", "plain")
    assert environment(daemon, "--pool", exact)["MCP_API_KEY"] == keys[exact] != keys["default"]


def test_env_finds_a_pool_that_was_made_over_arm_by_its_name(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(1, 0))
    with daemon.client() as client:
        for group, name in ("g", "one"), ("g", "two"), ("h", "two"):
            path = f"/subscriptions/s/resourceGroups/{group}/providers/Microsoft.App/sessionPools/{name}"
            made = client.request("PUT", f"{path}?api-version=2025-07-01", b'{"location":"x"}')
            assert made.status == 200, made.body
    endpoint = environment(daemon, "--pool", "one")["POOL_MANAGEMENT_ENDPOINT"]
    assert endpoint.endswith("/subscriptions/s/resourceGroups/g/sessionPools/one")
    done = subprocess.run([str(BUILD / "bin/sandboxd"), "env", "--pool", "two", "--state-dir",
                           str(daemon.state_directory)], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 1 and '2 pools are named "two"; give a resource id' in done.stderr


# ---- refusals to start ----

def refused(*arguments: str) -> str:
    require_daemon()
    done = subprocess.run([str(BUILD / "bin/sandboxd"), "--listen", f"127.0.0.1:{free_port()}", "--listen-https", "none",
                           *arguments], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode != 0
    return done.stderr


def test_other_addresses_need_jwt_or_a_word(tmp_path: Path) -> None:
    for mode in ("none", "any"):
        message = refused("--state-dir", str(tmp_path / "state"), "--listen", "0.0.0.0:0", "--auth", mode)
        assert "--insecure" in message and "--auth jwt" in message
    message = refused("--state-dir", str(tmp_path / "state"), "--listen-https", "0.0.0.0:0")
    assert "--listen-https" in message and "--insecure" in message


@pytest.mark.parametrize("arguments", [["--auth", "jwt"], ["--auth", "any", "--insecure"]])
def test_other_addresses_may_be_served_then(make_daemon: MakeDaemon, arguments: list[str]) -> None:
    daemon = make_daemon(scale(1, 0), arguments=["--listen-https", "0.0.0.0:0", *arguments])
    https = json.loads((daemon.state_directory / "daemon.json").read_text())["https"]
    assert https.startswith("0.0.0.0:") and not https.endswith(":0")


@pytest.mark.parametrize("arguments, word", [
    (["--auth", "basic"], "--auth"),
    (["--tls-cert", "/dev/null"], "--tls-key"),
    (["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "/nowhere"),
    (["--host", "not a name"], '--host: "not a name"'),
    (["--host", "x"] * 33, "--host"),
])
def test_bad_arguments_are_named(tmp_path: Path, arguments: list[str], word: str) -> None:
    assert word in refused("--state-dir", str(tmp_path / "state"), *arguments)


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "own.example")
    _, other_key = make_certificate(tmp_path, "other.example")
    state = ["--state-dir", str(tmp_path / "state"), "--listen-https", "127.0.0.1:0"]
    assert "certificate" in refused(*state, "--tls-cert", str(key), "--tls-key", str(key))
    assert "belong together" in refused(*state, "--tls-cert", str(certificate), "--tls-key", str(other_key))


@pytest.mark.parametrize("assignments, member", [
    ({}, "roleAssignments"), ([1], "roleAssignments[0]"),
    ([{"principalId": PRINCIPAL, "scope": "/"}], "roleDefinitionId"),
    ([assignment("somebody")], "principalId"), ([assignment(PRINCIPAL, "subscriptions")], "scope"),
])
def test_a_role_assignment_that_is_none_is_named(tmp_path: Path, assignments: Any, member: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**pool_document(), "roleAssignments": assignments}))
    assert member in refused("--state-dir", str(tmp_path / "state"), "--config", str(path))


def test_a_broken_key_is_named_and_left_alone(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(1, 0))
    daemon.stop()
    key = daemon.state_directory / "issuer.key"
    key.write_text("broken")
    assert "issuer.key" in refused("--state-dir", str(daemon.state_directory))
    assert key.read_text() == "broken"


# ---- the state directory changes hands ----

def test_files_go_to_the_next_daemons_id(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """A daemon that gets another range of ids can still read its keys; links are not followed."""
    daemon = make_daemon(scale(1, 0), arguments=["--auth", "jwt"])
    token = printed(daemon, "token")
    owner = daemon.state_directory.stat().st_uid
    daemon.stop()
    victim = tmp_path / "victim"
    victim.touch()
    (daemon.state_directory / "link").symlink_to(victim)
    for path in [daemon.state_directory, *daemon.state_directory.iterdir()]:
        os.chown(path, owner + 2 * 65536, owner + 2 * 65536, follow_symlinks=False)
    daemon.start()
    with daemon.client() as client:
        assert execute(client, token).status == 200
    assert victim.stat().st_uid == os.getuid()


def test_what_a_crash_left_half_written_is_gone_after_the_next_start(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(1, 0))
    daemon.stop()
    left = daemon.state_directory / ".daemon.json.6f055fe5-a2ce-4343-a520-1e2d595ec4ff"
    left.touch()
    os.utime(left, (0, 0))
    daemon.start()
    assert not left.exists()


def test_the_front_sees_the_state_directory_and_nothing_else(shared_daemon: Daemon) -> None:
    front, = shared_daemon.named("sandboxd-front")
    assert os.listdir(f"/proc/{front.pid}/root") == ["state"]
    mounts = Path(f"/proc/{front.pid}/mountinfo").read_text().splitlines()
    assert len(mounts) == 2, mounts
    directories = [target for number in os.listdir(f"/proc/{front.pid}/fd")
                   if os.path.isdir(target := os.readlink(f"/proc/{front.pid}/fd/{number}")) or target == "/state"]
    assert directories == ["/state"], directories
