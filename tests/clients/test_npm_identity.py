"""@azure/identity: tokens from this daemon, by the ways in which Azure gives them, and what they open."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest

from support.daemon import Daemon, pool_document, require_daemon, scale
from support.application import last_json, run_app

DATA_SCOPE = "https://dynamicsessions.io/.default"
OLD_DATA_SCOPE = "https://acasessions.io/.default"
ARM_SCOPE = "https://management.azure.com/.default"

EXECUTOR = "0fb8eba5-a2bb-4abe-b1c1-49dfad359bb0"
PRINCIPAL = "33333333-3333-3333-3333-333333333333"
APPLICATION = "44444444-4444-4444-4444-444444444444"
TENANT = "11111111-1111-1111-1111-111111111111"
POOL = "/subscriptions/local/resourceGroups/local/providers/Microsoft.App/sessionPools/default"


@pytest.fixture(scope="module")
def strict_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Lets one application in, and nobody else."""
    require_daemon()
    assignment = {"principalId": APPLICATION, "roleDefinitionId": EXECUTOR, "scope": POOL}
    started = Daemon(tmp_path_factory.mktemp("roles"),
                     {**pool_document(scale(10, 1)), "roleAssignments": [assignment]},
                     ["--auth", "jwt"])
    yield started
    started.stop()


def credentials(daemon: Daemon, directory: Path, *arguments: str, **environment: str) -> Any:
    return last_json(run_app("credentials.mjs", daemon, directory, *arguments, **environment))


@pytest.mark.parametrize("scope", [DATA_SCOPE, OLD_DATA_SCOPE])
def test_the_default_credential_gets_a_token_that_opens_the_pool(
        checking_daemon: Daemon, tmp_path: Path, scope: str) -> None:
    said = credentials(checking_daemon, tmp_path, "default", scope)
    assert (said["status"], said["body"]["value"]) == (200, [])
    assert said["claims"]["aud"].rstrip("/") + "/.default" == scope
    assert said["claims"]["oid"] == PRINCIPAL
    assert 300 < said["secondsLeft"] <= 24 * 3600, "clients renew five minutes before the end"


def test_a_token_for_arm_does_not_open_the_pool(checking_daemon: Daemon, tmp_path: Path) -> None:
    said = credentials(checking_daemon, tmp_path, "default", ARM_SCOPE)
    assert said["status"] == 401
    assert said["challenge"].startswith("Bearer")
    error = said["body"]["error"]
    assert error["code"] == "Unauthorized"
    assert "https://management.azure.com" in error["message"]
    assert "https://dynamicsessions.io" in error["message"]


def test_no_token_is_given_for_somebody_elses_service(checking_daemon: Daemon, tmp_path: Path) -> None:
    said = credentials(checking_daemon, tmp_path, "default", "https://vault.azure.net/.default")
    assert "ManagedIdentityCredential" in said["refused"]


def test_a_client_secret_works_where_discovery_is_off(checking_daemon: Daemon, tmp_path: Path) -> None:
    said = credentials(checking_daemon, tmp_path, "secret", DATA_SCOPE)
    assert said["status"] == 200
    assert said["claims"]["appid"] == APPLICATION


def test_a_federated_token_works_where_discovery_is_off(checking_daemon: Daemon, tmp_path: Path) -> None:
    assertion = tmp_path / "federated-token"
    assertion.write_text("a.federated.token")
    said = credentials(checking_daemon, tmp_path, "federated", DATA_SCOPE,
                       AZURE_FEDERATED_TOKEN_FILE=str(assertion), AZURE_TENANT_ID=TENANT,
                       AZURE_CLIENT_ID=APPLICATION)
    assert said["status"] == 200
    assert said["claims"]["appid"] == APPLICATION


@pytest.mark.parametrize("proof", ["AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"])
def test_the_environment_alone_makes_it_an_application_offline(
        checking_daemon: Daemon, tmp_path: Path, proof: str) -> None:
    """The tenant is the point: MSAL asks nobody else about an authority of its kind."""
    assertion = tmp_path / "proof"
    assertion.write_text("a.federated.token")
    said = credentials(checking_daemon, tmp_path, "default", DATA_SCOPE, AZURE_TENANT_ID="adfs",
                       AZURE_CLIENT_ID=APPLICATION, **{proof: str(assertion)})
    assert said["status"] == 200
    assert said["claims"]["appid"] == APPLICATION


def test_a_principal_without_the_role_is_told_which_one(strict_daemon: Daemon,
                                                        tmp_path: Path) -> None:
    said = credentials(strict_daemon, tmp_path, "default", DATA_SCOPE)
    assert said["status"] == 403
    message = said["body"]["error"]["message"]
    assert "Azure ContainerApps Session Executor" in message
    assert EXECUTOR in message and PRINCIPAL in message


def test_an_application_with_the_role_passes(strict_daemon: Daemon, tmp_path: Path) -> None:
    assert credentials(strict_daemon, tmp_path, "secret", DATA_SCOPE)["status"] == 200
