"""Runs the cases beside this file: does the wire match docs/api.md? README.md describes their form."""
from __future__ import annotations

import pytest

from cases import FULL, Case, all_cases, judge, keep, new_variables, send
from conftest import MakeDaemon
from support.client import new_identifier


CASES = [case for case in all_cases() if FULL or not case.needs_full]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, request: pytest.FixtureRequest) -> None:
    if case.wants_own_daemon:
        make_daemon: MakeDaemon = request.getfixturevalue("make_daemon")
        daemon = make_daemon(api=case.settings("api"), **(case.settings("config") or {}))
    else:
        daemon = request.getfixturevalue("shared_daemon")

    identifier = new_identifier("contract")
    with daemon.client(identifier) as client:
        try:
            variables = new_variables(identifier)
            for step in case.steps(variables):
                answer = send(client, step)
                wrong = judge(step.expected, answer)
                assert not wrong, "\n".join([f"request {step.number} of {case.name}:",
                                             *map(str, wrong),
                                             f"answer: {answer.status} {answer.text[:1000]}"])
                keep(step, answer, variables)
        finally:
            client.delete_session()
