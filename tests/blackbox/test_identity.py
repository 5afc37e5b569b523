"""sandboxd env, token and ca: what they print, and with whose power they read."""
from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from support.daemon import BUILD

SANDBOXD = str(BUILD / "bin" / "sandboxd")
OWNER = 4_000_000  # an id that nobody has, as the front's
SECRET = "0123456789abcdef" * 4
POOL = "/subscriptions/local/resourceGroups/local/sessionPools/default"
TIMEOUT_S = 30


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], text=True, capture_output=True,
                          timeout=TIMEOUT_S, check=False, **options)


def openssl(*arguments: str | Path) -> None:
    assert run("openssl", *arguments).returncode == 0


def write(path: Path, text: str, mode: int) -> None:
    path.write_text(text)
    path.chmod(mode)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory as a daemon leaves it, with a name that every shell would trip over."""
    if not Path(SANDBOXD).exists():
        pytest.skip(f"{SANDBOXD} is not built (scripts/build)")
    if os.geteuid() != 0:
        pytest.skip("becoming the state directory's owner needs root")
    directory = tmp_path / "it's a $HOME"
    directory.mkdir()
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
            directory / "issuer.key")
    (directory / "issuer.key").chmod(0o600)
    write(directory / "identity-header", SECRET, 0o600)
    write(directory / "ca.pem", "the authority's own\n", 0o644)
    write(directory / "daemon.json",
          json.dumps({"http": "0.0.0.0:8900", "https": "[::]:8901", "auth": "any", "pool": POOL}),
          0o644)
    for path in [directory, *directory.iterdir()]:
        os.chown(path, OWNER, OWNER)
    yield directory


def variables(state: Path, shell: str = "sh", *more: str) -> str:
    done = run(SANDBOXD, "env", "--state-dir", state, "--shell", shell, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def token(state: Path, *options: str) -> str:
    done = run(SANDBOXD, "token", "--state-dir", state, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_shell_reads_the_variables_as_they_are(state: Path) -> None:
    done = run("sh", "-c", 'eval "$1"; env -0', "sh", variables(state))
    found = dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
    endpoint = "https://[::1]:8901" + POOL
    assert found["POOL_MANAGEMENT_ENDPOINT"] == endpoint
    assert found["AZURE_POOL_MANAGEMENT_ENDPOINT"] == endpoint
    assert found["ACA_POOL_MANAGEMENT_ENDPOINT"] == endpoint
    assert found["IDENTITY_ENDPOINT"] == "http://127.0.0.1:8900/msi/token"
    assert found["IDENTITY_HEADER"] == SECRET
    assert found["AZURE_AUTHORITY_HOST"] == "https://[::1]:8901"
    assert found["AZURE_RESOURCE_MANAGER_URL"] == "https://[::1]:8901"
    assert found["NODE_EXTRA_CA_CERTS"] == f"{state}/ca.pem"
    assert found["REQUESTS_CA_BUNDLE"] == f"{state}/ca-bundle.pem"
    assert found["SSL_CERT_FILE"] == f"{state}/ca-bundle.pem"


def test_a_workflow_gets_lines_without_quotes(state: Path) -> None:
    lines = variables(state, "github").splitlines()
    assert f"NODE_EXTRA_CA_CERTS={state}/ca.pem" in lines
    assert all("=" in line and not line.startswith("export") for line in lines)


def test_a_pool_is_named_by_its_name_or_its_id(state: Path) -> None:
    pool = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/sessionPools/p"
    assert "/subscriptions/local/resourceGroups/local/sessionPools/other'" in \
        variables(state, "sh", "--pool", "other")
    assert "8901/subscriptions/s/resourceGroups/g/sessionPools/p'" in \
        variables(state, "sh", "--pool", pool)


def test_without_https_there_is_nothing_of_certificates(state: Path) -> None:
    write(state / "daemon.json",
          json.dumps({"http": "127.0.0.1:1", "https": "", "auth": "any", "pool": POOL}), 0o644)
    text = variables(state)
    assert f"POOL_MANAGEMENT_ENDPOINT='http://127.0.0.1:1{POOL}'" in text
    assert "https" not in text and "CERT" not in text and not (state / "ca-bundle.pem").exists()


def test_the_bundle_keeps_the_machines_own_authorities_and_follows_ours(state: Path) -> None:
    bundle = state / "ca-bundle.pem"
    variables(state)
    assert bundle.read_text().endswith("the authority's own\n")
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    if system.exists():
        assert bundle.read_text().startswith(system.read_text())
    info = bundle.stat()
    assert (info.st_uid, info.st_mode & 0o7777) == (OWNER, 0o644)

    variables(state)
    assert bundle.stat().st_ino == info.st_ino
    write(state / "ca.pem", "another\n", 0o644)
    later = time.time() + 10
    os.utime(state / "ca.pem", (later, later))
    variables(state)
    assert bundle.read_text().endswith("another\n")


def test_a_token_is_signed_with_the_issuers_key(state: Path, tmp_path: Path) -> None:
    text = token(state)
    signed, signature = text.rsplit(".", 1)
    (tmp_path / "signed").write_text(signed)
    (tmp_path / "signature").write_bytes(base64.urlsafe_b64decode(signature + "=="))
    openssl("pkey", "-in", state / "issuer.key", "-pubout", "-out", tmp_path / "public.pem")
    openssl("dgst", "-sha256", "-verify", tmp_path / "public.pem", "-signature",
            tmp_path / "signature", tmp_path / "signed")
    assert claims(text)["aud"] == "https://dynamicsessions.io"
    assert abs(claims(text)["exp"] - time.time() - 3600) < TIMEOUT_S


def test_a_token_says_what_was_asked_for(state: Path) -> None:
    alice, bob = "aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"
    found = claims(token(state, "--resource", "https://management.azure.com/", "--client-id", alice,
                         "--oid", bob, "--lifetime", "60"))
    assert found["aud"] == "https://management.azure.com/"
    assert (found["appid"], found["oid"], found["exp"] - found["nbf"]) == (alice, bob, 60)
    assert claims(token(state, "--lifetime", "0"))["exp"] < time.time() - 300
    done = run(SANDBOXD, "token", "--state-dir", state, "--oid", "alice")
    assert done.returncode != 0 and "--oid: must be a GUID, not alice" in done.stderr


def test_the_authority_is_where_it_says(state: Path) -> None:
    assert run(SANDBOXD, "ca", "--state-dir", state).stdout == f"{state}/ca.pem\n"


def test_who_may_not_read_the_secrets_is_told_what_to_do(state: Path) -> None:
    for parent in state.parents:
        if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    for command in ("env", "token"):
        done = run(SANDBOXD, command, "--state-dir", state, user=65534, group=65534,
                   extra_groups=[])
        assert done.returncode == 1 and not done.stdout
        assert "Permission denied" in done.stderr and "sudo" in done.stderr


def test_nothing_is_read_with_roots_power(state: Path, tmp_path: Path) -> None:
    """A front that was taken over may put a link where a file was expected, or a file of root's."""
    write(tmp_path / "secret", SECRET, 0o600)
    (state / "identity-header").unlink()
    (state / "identity-header").symlink_to(tmp_path / "secret")
    done = run(SANDBOXD, "env", "--state-dir", state)
    assert done.returncode == 1 and SECRET not in done.stdout
    (state / "identity-header").unlink()
    os.link(tmp_path / "secret", state / "identity-header")
    done = run(SANDBOXD, "env", "--state-dir", state)
    assert done.returncode == 1 and SECRET not in done.stdout


def test_where_no_daemon_has_run_is_said(tmp_path: Path) -> None:
    for command in ("env", "token", "ca"):
        done = run(SANDBOXD, command, "--state-dir", tmp_path)
        assert done.returncode == 1
        assert "no daemon has run with this --state-dir" in done.stderr
