"""Runs the cases beside this file against any pool and prints where it differs.

usage: scripts/test contract --endpoint URL [--strict] [CASE...]

URL       the pool's management endpoint
CASE      a case's name, or the beginning of some; without, all
--strict  inferred expectations can fail too, as is right for sandboxd

The bearer token is SANDPOOL_TOKEN; on loopback "local" does when that is not set. README.md says what
the marks mean. Ends with 1 when an expectation that is documented, recorded or read in clients is not met.
"""
from __future__ import annotations

import argparse
import http.client
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass, field

from cases import FULL, Case, Difference, Step, all_cases, judge, keep, new_variables, send
from support.client import new_identifier
from support.endpoint import Endpoint, is_loopback, split_endpoint

WIDTHS = {"case": 36, "where": 40, "expected": 44, "got": 60}
OUTCOMES = ("equal", "different (inferred, reported)", "failed", "not applicable")
EQUAL, DIFFERENT, FAILED, NOT_APPLICABLE = OUTCOMES


@dataclass
class Row:
    """A difference, and where the expectation comes from."""

    case: str
    where: str
    expected: str
    got: str
    mark: str


@dataclass
class Result:
    """How one case ended."""

    case: Case
    outcome: str
    rows: list[Row] = field(default_factory=list)


def sessions_of(step: Step, own: list[str]) -> set[str]:
    """The identifiers in a request that no one else can have, as they were sent."""
    sent = re.findall(r"[?&]identifier=([^&]*)", step.request["target"])
    sent += [value for name, value in (step.request.get("headers") or {}).items()
             if name.lower() == "identifier"]
    return {identifier for identifier in sent if any(text in identifier for text in own)}


def row(case: Case, step: Step, difference: Difference) -> Row:
    return Row(case.name, f"{step.number}: {difference.where}", difference.expected,
               difference.got, case.mark(step, difference.where))


def run_steps(case: Case, endpoint: Endpoint, sessions: set[str]) -> list[Row]:
    variables = new_variables(new_identifier("contract"))
    rows: list[Row] = []
    for step in case.steps(variables):
        sessions |= sessions_of(step, list(variables.values()))
        statuses = step.expected["status"]
        endpoint.expects_429 = 429 in (statuses if isinstance(statuses, list) else [statuses])
        try:
            answer = send(endpoint, step)
        except (OSError, http.client.HTTPException) as error:
            endpoint.close()
            found = [Difference("answer", "an answer", f"{type(error).__name__}: {error}")]
        else:
            found = judge(step.expected, answer)
            keep(step, answer, variables, endpoint.prefix)
        rows += [row(case, step, difference) for difference in found]
    return rows


def run_case(case: Case, endpoint: Endpoint, strict: bool) -> Result:
    if case.needs_daemon or (case.needs_full and not FULL):
        return Result(case, NOT_APPLICABLE)
    sessions: set[str] = set()
    try:
        rows = run_steps(case, endpoint, sessions)
    finally:
        for identifier in sessions:
            try:
                endpoint.delete_session(identifier)
            except (OSError, http.client.HTTPException):
                endpoint.close()
    if not rows:
        return Result(case, EQUAL)
    fails = strict or any(row.mark != "I" for row in rows)
    return Result(case, FAILED if fails else DIFFERENT, rows)


# ---- what is printed ----

def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[:width - 1] + "…"


def table(rows: list[Row]) -> str:
    heads = Row("case", "where", "expected", "got", "mark")
    return "\n".join("  ".join(cut(getattr(row, name), width).ljust(width)
                               for name, width in WIDTHS.items()) + "  " + row.mark
                     for row in [heads, *rows])


def pick(names: list[str]) -> list[Case]:
    cases = all_cases()
    unknown = [name for name in names if not any(case.name.startswith(name) for case in cases)]
    if unknown:
        raise ValueError("no case begins with " + ", ".join(unknown))
    return [case for case in cases if not names or case.name.startswith(tuple(names))]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/test contract", description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, metavar="URL")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("case", nargs="*")
    options = parser.parse_args(arguments)
    try:
        parts = split_endpoint(options.endpoint)
        cases = pick(options.case)
    except ValueError as error:
        parser.error(str(error))
    token = os.environ.get("SANDPOOL_TOKEN") or ("local" if is_loopback(parts) else "")
    if not token:
        parser.error("set SANDPOOL_TOKEN to a token for https://dynamicsessions.io")

    def say(text: str) -> None:
        """A token that an answer repeats is not for a log."""
        print(text.replace(token, "(token)") if token != "local" else text, flush=True)

    endpoint = Endpoint(options.endpoint, token)
    results = []
    for case in cases:
        results.append(run_case(case, endpoint, options.strict))
        say(f"{results[-1].outcome}: {case.name} [{' '.join(case.marks)}]")
    endpoint.close()

    rows = [row for result in results for row in result.rows]
    if rows:
        say("\n" + table(rows) + "\n")
    counts = Counter(result.outcome for result in results)
    say(", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES))
    return 1 if counts[FAILED] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
