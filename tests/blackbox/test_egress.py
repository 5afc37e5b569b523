"""Pools with EgressEnabled: what their sessions reach, and that nothing of the machine is among it."""
from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from support.client import Client
from support.daemon import BUILD, Daemon, require_daemon, scale
from support.networks import (FAR, MACHINE, METADATA, NEIGHBOUR, PORT, PRIVATE, WITH_CLOSED_TUN, WITH_EGRESS,
                              WITHOUT_TUN, Neighbourhood)
from support.processes import wait_until

ENDPOINT = "/subscriptions/s/resourceGroups/g/sessionPools/"
GATEWAY, RESOLVER, OWN = "192.0.0.1", "192.0.0.3", "192.0.0.2"

ENABLED = {"sessionNetworkConfiguration": {"status": "EgressEnabled"}}
POOLS = {
    "closed": {"properties": scale(10, 0)},
    "public": {"properties": {**scale(10, 0), **ENABLED}},
    "listed": {"properties": {**scale(10, 0), **ENABLED}, "sandpool": {"egressAllow": [f"{NEIGHBOUR}/32"]}},
    "private": {"properties": {**scale(10, 0), **ENABLED},
                "sandpool": {"egressAllow": ["10.1.1.0/24", "0.0.0.0/1"], "egressDns": False}},
}

# Prints what became of an attempt, and whether that took a time-out.
ATTEMPT = """
import errno, socket, time
def attempt(host, port, kind="tcp"):
    began = time.monotonic()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.connect((host, port))
            if kind == "udp":
                s.send(b"echo")
            return s.recv(100).decode().strip()
    except socket.gaierror:
        return "no name"
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return errno.errorcode[error.errno]
"""


@pytest.fixture(scope="module")
def neighbourhood() -> Iterator[Neighbourhood]:
    require_daemon()
    made = Neighbourhood()
    yield made
    made.close()


@pytest.fixture(scope="module")
def daemon(neighbourhood: Neighbourhood, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """In the machine's network, as the tests of this file are."""
    pools = [{"name": name, **members} for name, members in POOLS.items()]
    with neighbourhood.machine.entered():
        made = Daemon(tmp_path_factory.mktemp("egress"), {"pools": pools}, wrapper=WITH_EGRESS)
        yield made
        made.stop()


@pytest.fixture
def within(neighbourhood: Neighbourhood) -> Iterator[None]:
    with neighbourhood.machine.entered():
        yield


def client_of(daemon: Daemon, pool: str) -> Client:
    return Client(daemon.port, base=ENDPOINT + pool)


def attempts(client: Client, *calls: str) -> list[str]:
    code = ATTEMPT + "print('\\n'.join([" + ", ".join(f"attempt({call})" for call in calls) + "]))"
    ran = client.execute(code)
    assert ran.status == "Succeeded", ran.stderr
    return ran.stdout.split("\n")[:len(calls)]


@pytest.mark.parametrize("pool", ["public", "listed"])
def test_an_allowed_address_is_reached_by_tcp_udp_and_name(daemon: Daemon, pool: str) -> None:
    with client_of(daemon, pool) as client:
        assert attempts(client, f"'{NEIGHBOUR}', {PORT}", f"'{NEIGHBOUR}', {PORT}, 'udp'", f"'near.test', {PORT}") == \
            ["neighbour", "echo", "neighbour"]


@pytest.mark.parametrize(("pool", "refused"), [
    ("public", [PRIVATE]), ("listed", [FAR, PRIVATE]), ("private", [FAR, NEIGHBOUR]),
])
@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_other_addresses_and_those_of_the_machine_are_refused_at_once(daemon: Daemon, pool: str, refused: list[str],
                                                                      kind: str) -> None:
    hosts = [*refused, MACHINE, METADATA, "169.254.1.1", GATEWAY, RESOLVER]
    with client_of(daemon, pool) as client:
        assert attempts(client, *(f"'{host}', {PORT}, '{kind}'" for host in hosts)) == ["EHOSTUNREACH"] * len(hosts)


@pytest.mark.parametrize("pool", ["public", "listed", "private", "closed"])
def test_loopback_is_the_session_s_own(daemon: Daemon, pool: str) -> None:
    with client_of(daemon, pool) as client:
        assert attempts(client, f"'127.0.0.1', {PORT}", f"'127.0.0.1', {daemon.port}", f"'0.0.0.0', {daemon.port}") == \
            ["ECONNREFUSED"] * 3


@pytest.mark.parametrize("pool", ["public", "private"])
def test_the_daemon_is_not_reached_by_any_address(daemon: Daemon, pool: str) -> None:
    with client_of(daemon, pool) as client:
        assert set(attempts(client, f"'{MACHINE}', {daemon.port}", f"'{GATEWAY}', {daemon.port}",
                            f"'{RESOLVER}', {daemon.port}")) == {"EHOSTUNREACH"}


def test_a_private_address_is_reached_where_the_pool_allows_it(daemon: Daemon) -> None:
    with client_of(daemon, "private") as client:
        assert attempts(client, f"'{PRIVATE}', {PORT}", f"'near.test', {PORT}") == \
            ["neighbour", "no name"]


def test_a_datagram_that_names_its_device_gets_no_further(daemon: Daemon) -> None:
    """The kernel then ignores the routes; the rules are not routes."""
    with client_of(daemon, "listed") as client:
        ran = client.execute(f"""
import socket, struct
IP_PKTINFO, found = 8, []
for device in range(1, 6):
    for host in ("{NEIGHBOUR}", "{FAR}", "{MACHINE}", "{METADATA}", "127.0.0.1", "{GATEWAY}"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.3)
            try:
                info = struct.pack("iII", device, 0, 0)
                s.sendmsg([b"echo"], [(socket.IPPROTO_IP, IP_PKTINFO, info)], 0, (host, {PORT}))
                found.append(s.recvfrom(100)[1][0])
            except OSError:
                pass
print(set(found))
""")
        assert ran.stdout == str({NEIGHBOUR}) + "\n", ran
        assert attempts(client, f"'{FAR}', {PORT}, 'udp'") == ["EHOSTUNREACH"]


def test_a_closed_pool_reaches_nothing_and_no_name(daemon: Daemon) -> None:
    with client_of(daemon, "closed") as client:
        assert attempts(client, f"'{NEIGHBOUR}', {PORT}", f"'{GATEWAY}', {PORT}, 'udp'", f"'{OWN}', {PORT}",
                        f"'near.test', {PORT}") == ["ENETUNREACH"] * 3 + ["no name"]


def test_sessions_of_a_pool_do_not_reach_each_other(daemon: Daemon) -> None:
    with client_of(daemon, "private") as listening, client_of(daemon, "private") as other:
        listening.execute("import socket; server = socket.create_server(('0.0.0.0', 4712))")
        assert attempts(listening, "'127.0.0.1', 4713") == ["ECONNREFUSED"]
        assert attempts(other, f"'{OWN}', 4712", "'192.0.0.4', 4712") == ["ECONNREFUSED", "EHOSTUNREACH"]


def test_a_megabyte_travels_both_ways(daemon: Daemon) -> None:
    with client_of(daemon, "public") as client:
        ran = client.execute(f"""
import os, socket, threading
sent = os.urandom(1 << 20)
with socket.create_connection(("{NEIGHBOUR}", {PORT})) as s:
    threading.Thread(target=lambda: (s.sendall(sent), s.shutdown(socket.SHUT_WR))).start()
    got = b"".join(iter(lambda: s.recv(65536), b""))
print(got == b"neighbour\\n" + sent)
""")
        assert ran.stdout == "True\n", ran


def test_the_rules_cannot_be_changed_from_inside(daemon: Daemon) -> None:
    with client_of(daemon, "listed") as client:
        ran = client.execute("""
import errno, fcntl, os, socket
def refusal(call):
    try: call()
    except OSError as error: return errno.errorcode[error.errno]
    return "done"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
SIOCADDRT, SIOCSIFADDR, SIOCSARP = 0x890B, 0x8916, 0x8955
print([refusal(lambda n=n: fcntl.ioctl(s, n, bytes(128))) for n in (SIOCADDRT, SIOCSIFADDR, SIOCSARP)])
print(refusal(lambda: socket.socket(16, socket.SOCK_RAW, 0)), refusal(lambda: socket.socket(17, socket.SOCK_RAW)))
print(refusal(lambda: os.open("/dev/net/tun", os.O_RDWR)))
""")
        lines = ran.stdout.splitlines()
        assert "done" not in ran.stdout and len(lines) == 3, ran
        assert lines[2] == "ENOENT"


@pytest.mark.parametrize(("pool", "host", "hint"), [
    ("listed", FAR, f"network access of this session is limited to {NEIGHBOUR}"),
    ("public", PRIVATE, "network access of this session is limited to public IPv4 addresses"),
    ("private", FAR, "network access of this session is limited to 10.1.1.0/24, 0.0.0.0/1"),
    ("private", "near.test", "host names are not resolved in this session"),
])
def test_code_that_failed_for_its_pool_s_rules_is_told_so_in_one_sentence(daemon: Daemon, pool: str, host: str,
                                                                          hint: str) -> None:
    with client_of(daemon, pool) as client:
        ran = client.execute(f"import urllib.request; urllib.request.urlopen('http://{host}:{PORT}')")
        assert ran.status == "Failed"
        assert ran.stderr.endswith(f"\n{hint}; do not retry; ask for the data as a file\n")
        assert b'"refusals"' not in ran.answer.body


@pytest.mark.parametrize("target", [f"'{NEIGHBOUR}', {PORT + 1}", f"'nowhere.test', {PORT}"])
def test_what_an_allowed_network_does_not_have_is_no_matter_of_rules(daemon: Daemon, target: str) -> None:
    with client_of(daemon, "listed") as client:
        ran = client.execute(f"import socket; socket.create_connection(({target}))")
        assert ran.status == "Failed" and "do not retry" not in ran.stderr


def test_a_session_whose_network_dies_goes_on_without(daemon: Daemon) -> None:
    with client_of(daemon, "public") as client:
        before = {process.pid for process in daemon.named("sandboxd-egress")}
        assert attempts(client, f"'{NEIGHBOUR}', {PORT}") == ["neighbour"]
        client.execute("kept = 7")
        (own,) = [process for process in daemon.named("sandboxd-egress") if process.pid not in before]
        os.kill(own.pid, signal.SIGKILL)
        assert wait_until(lambda: not own.is_alive(), 10)
        assert attempts(client, f"'{NEIGHBOUR}', {PORT}", f"'{NEIGHBOUR}', {PORT}, 'udp'", f"'near.test', {PORT}") == \
            ["ENETUNREACH", "ENETUNREACH", "no name"]
        assert client.execute("kept").value == 7


def test_a_deleted_session_leaves_no_process(daemon: Daemon) -> None:
    before = {process.pid for process in daemon.named("sandboxd-egress")}
    with client_of(daemon, "public") as client:
        client.execute("1")
        assert {process.pid for process in daemon.named("sandboxd-egress")} > before
        client.delete_session()
        assert wait_until(lambda: {process.pid for process in daemon.named("sandboxd-egress")} <= before, 10)


def test_the_network_holds_no_privilege(daemon: Daemon) -> None:
    with client_of(daemon, "public") as client:
        client.execute("1")
        for process in daemon.named("sandboxd-egress"):
            status = dict(line.split(":\t", 1) for line in
                          Path(f"/proc/{process.pid}/status").read_text().splitlines() if ":\t" in line)
            assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
            assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
            assert status["Seccomp_filters"] == "2"  # the broker's and its own
            assert os.listdir(f"/proc/{process.pid}/root") == ["etc"]
            assert os.listdir(f"/proc/{process.pid}/root/etc") == ["resolv.conf"]
            names = {os.readlink(f"/proc/{process.pid}/fd/{fd}").split(":")[0]
                     for fd in os.listdir(f"/proc/{process.pid}/fd")}
            assert names <= {"/dev/null", "/dev/net/tun", "/net/tun", "/tun", "socket", str(daemon.log_path)}, names


def test_a_pool_with_a_network_is_made_and_shown_by_arm(daemon: Daemon) -> None:
    resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/sessionPools/made?api-version=2025-07-01"
    document = {"location": "local",
                "properties": {**scale(2, 0), **ENABLED, "sandpool": {"egressAllow": ["203.0.113.0/24"]}}}
    with daemon.client() as client:
        answer = client.request("PUT", resource, json.dumps(document).encode(), {"Content-Type": "application/json"})
        assert answer.status in (200, 201), answer.body
        properties = json.loads(answer.body)["properties"]
        assert properties["sessionNetworkConfiguration"] == {"status": "EgressEnabled"}
        assert properties["sandpool"] == {"egressAllow": ["203.0.113.0/24"]}
    with client_of(daemon, "made") as client:
        assert attempts(client, f"'{NEIGHBOUR}', {PORT}", f"'{FAR}', {PORT}") == ["neighbour", "EHOSTUNREACH"]


@pytest.mark.parametrize(("wrapper", "remedy"), [(WITHOUT_TUN, "modprobe tun"), (WITH_CLOSED_TUN, "chmod 0666")],
                         ids=["absent", "closed"])
def test_without_the_device_such_a_pool_is_refused_at_the_start(tmp_path: Path, wrapper: list[str],
                                                                remedy: str) -> None:
    require_daemon()
    (tmp_path / "config.json").write_text(json.dumps({"pools": [{"name": "open", "properties": ENABLED}]}))
    ended = subprocess.run([*wrapper, BUILD / "bin/sandboxd", "--listen", "127.0.0.1:0", "--listen-https", "none",
                            "--state-dir", tmp_path / "state", "--config", tmp_path / "config.json"],
                           capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "sessionNetworkConfiguration.status" in ended.stderr and remedy in ended.stderr, ended.stderr


def test_a_killed_daemon_leaves_no_network(neighbourhood: Neighbourhood, tmp_path: Path, within: None) -> None:
    document = {"pools": [{"name": "default", "properties": {**scale(2, 0), **ENABLED}}]}
    daemon = Daemon(tmp_path, document, wrapper=WITH_EGRESS)
    with daemon.client() as client:
        client.execute("1")
    assert daemon.named("sandboxd-egress")
    assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
