"""@azure/arm-appcontainers with @azure/identity: an application that makes its session pools itself."""
from __future__ import annotations

from typing import Any

import pytest

from support.application import last_json, run_app
from support.daemon import Daemon

RESOURCE = ("/subscriptions/22222222-aaaa-4bbb-8ccc-000000000001/resourceGroups/customers"
            "/providers/Microsoft.App/sessionPools/customer-17")


@pytest.fixture(scope="module")
def said(checking_daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the application saw."""
    return last_json(run_app("pool_per_customer.mjs", checking_daemon,
                             tmp_path_factory.mktemp("app")))


def test_a_pool_that_is_not_there_is_an_error_with_a_code(said: dict[str, Any]) -> None:
    assert (said["before"]["status"], said["before"]["code"]) == (404, "ResourceNotFound")


def test_a_pool_is_created_as_asked_for(said: dict[str, Any]) -> None:
    created = said["created"]
    assert created["id"] == RESOURCE and created["name"] == "customer-17"
    assert created["provisioningState"] == "Succeeded"
    assert (created["location"], created["tags"]) == ("northeurope", {"customer": "17"})
    assert (created["containerType"], created["poolManagementType"]) == ("PythonLTS", "Dynamic")
    assert created["scaleConfiguration"] == {"maxConcurrentSessions": 3, "readySessionInstances": 1}
    lifecycle = created["dynamicPoolConfiguration"]["lifecycleConfiguration"]
    assert (lifecycle["lifecycleType"], lifecycle["cooldownPeriodInSeconds"]) == ("Timed", 300)
    assert created["sessionNetworkConfiguration"] == {"status": "EgressDisabled"}


def test_its_endpoint_runs_code_at_once(said: dict[str, Any]) -> None:
    assert said["created"]["poolManagementEndpoint"].startswith("https://127.0.0.1:")
    assert said["executed"]["status"] == 200, said["executed"]
    assert said["executed"]["body"]["status"] == "Succeeded"
    assert said["executed"]["body"]["result"]["executionResult"] == 285


def test_an_update_changes_only_what_it_names(said: dict[str, Any]) -> None:
    for pool in (said["updated"], said["got"]):
        assert pool["scaleConfiguration"]["maxConcurrentSessions"] == 5
        assert pool["tags"] == {"customer": "17"}


def test_it_is_listed_where_it_belongs(said: dict[str, Any]) -> None:
    assert "customer-17" in said["inGroup"]
    assert "customer-17" in said["inSubscription"]


def test_it_is_gone_after_its_deletion(said: dict[str, Any]) -> None:
    assert said["after"]["status"] == 404
