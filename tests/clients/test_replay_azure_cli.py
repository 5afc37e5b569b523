"""The Azure CLI's `containerapp` extension: sessions and their files."""
from __future__ import annotations

from typing import Any, Iterator

import pytest

from support.client import Answer
from support.daemon import Daemon
from support.replay import Replay


@pytest.fixture
def azure_cli(shared_daemon: Daemon) -> Iterator[Replay]:
    with Replay(shared_daemon, "azure_cli") as replay:
        yield replay


def test_execute_prints_the_answer_as_it_is(azure_cli: Replay) -> None:
    answer = azure_cli.ok("execute")
    assert answer.status != 201, "201 makes it poll"
    assert answer.json["status"] == "Succeeded"
    assert answer.json["result"]["stdout"] == "Hello world\n"


def test_files_are_uploaded_listed_shown_and_deleted(azure_cli: Replay) -> None:
    assert azure_cli.ok("upload").json["name"] == "cert.txt"
    assert [entry["name"] for entry in azure_cli.ok("list").json["value"]] == ["cert.txt"]
    metadata = azure_cli.ok("show_metadata").json
    assert (metadata["name"], metadata["sizeInBytes"]) == ("cert.txt", 7)
    assert azure_cli.ok("show_content").text == "testing"
    assert azure_cli.ok("delete").status == 204
    assert azure_cli.ok("list").json["value"] == []


def test_a_path_is_a_directory_of_its_own(azure_cli: Replay) -> None:
    azure_cli.ok("upload_path")
    assert [entry["name"] for entry in azure_cli.ok("list_path").json["value"]] == ["cert.txt"]
    assert azure_cli.ok("show_content_path").text == "testing"


def test_request_ids_come_back(azure_cli: Replay) -> None:
    assert azure_cli.ok("execute").headers["x-ms-client-request-id"] == \
        "0f1d7c52-9f6e-11ef-8f5d-00155d000001"


# ---- session pools ----

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
POOL = "spjupyterpython000002"


def provider_allows(document: dict[str, Any], location: str) -> bool:
    """What `az containerapp` asks before each command: registered, and served in that location."""
    kinds = [kind for kind in document["resourceTypes"] if kind["resourceType"] == "sessionPools"]
    assert kinds and kinds[0]["apiVersions"]
    places = {place.lower().replace(" ", "") for place in kinds[0]["locations"]}
    return document["registrationState"] == "Registered" and (
        not places or location.lower().replace(" ", "") in places)


def names_in(answer: Answer) -> list[str]:
    """The pages of a list; the next one would be asked for as long as there is a link to it."""
    document = answer.json
    assert document.get("nextLink") is None
    return [entry["name"] for entry in document["value"]]


def test_login_finds_a_subscription(azure_cli: Replay) -> None:
    """The rest of a login is a token by the tenant adfs, as test_npm_identity.py has it."""
    found = azure_cli.ok("login_subscriptions").json
    assert found.get("nextLink") is None
    assert [(entry["subscriptionId"], entry["state"]) for entry in found["value"]] == [("local", "Enabled")]
    assert found["value"][0]["tenantId"] == "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def pool_of_the_cli(shared_daemon: Daemon) -> Iterator[Replay]:
    """Makes its pool as `az containerapp sessionpool create` does, and removes it again."""
    replay = Replay(shared_daemon, "azure_cli")
    yield replay
    replay.send("arm_delete")


def test_a_pool_is_created_shown_listed_and_deleted(pool_of_the_cli: Replay) -> None:
    cli = pool_of_the_cli
    assert provider_allows(cli.ok("arm_provider").json, "North Central US")
    assert cli.send("arm_show").status == 404
    created = cli.ok("arm_create")
    assert created.status != 201 or "azure-asyncoperation" in created.headers
    pool = cli.ok("arm_show").json
    assert (pool["name"], pool["properties"]["containerType"]) == (POOL, "PythonLTS")
    assert pool["properties"]["provisioningState"] == "Succeeded"
    assert pool["properties"]["dynamicPoolConfiguration"]["cooldownPeriodInSeconds"] == 300
    assert pool["properties"]["poolManagementEndpoint"].endswith(f"/sessionPools/{POOL}")
    assert POOL in names_in(cli.ok("arm_list"))
    assert POOL in names_in(cli.ok("arm_list_subscription"))
    assert cli.ok("arm_delete").status in (200, 204)
    assert POOL not in names_in(cli.ok("arm_list"))


def test_the_role_assignment_after_a_creation_is_accepted(pool_of_the_cli: Replay) -> None:
    pool_of_the_cli.ok("arm_create")
    assert pool_of_the_cli.ok("arm_role_assignment").status in (200, 201)


def test_a_pool_runs_code_behind_its_own_endpoint(pool_of_the_cli: Replay) -> None:
    pool_of_the_cli.ok("arm_create_lifecycle")
    assert pool_of_the_cli.ok("arm_execute").json["result"]["stdout"] == "Hello world\n"


def test_an_update_is_answered_with_the_pool(pool_of_the_cli: Replay) -> None:
    pool_of_the_cli.ok("arm_create")
    answer = pool_of_the_cli.ok("arm_update")
    assert answer.status == 200, "202 makes it poll"
    assert answer.json["properties"]["dynamicPoolConfiguration"]["cooldownPeriodInSeconds"] == 600
