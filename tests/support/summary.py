"""Adds up what the suites of scripts/test left: usage: summary.py DIRECTORY SUITE...

Reads SUITE.xml (JUnit) of each. A ctest entry that ran a cmocka program counts as the test cases it ran.
Prints the tests that were skipped or failed by name; the last line is "N passed, N failed, N skipped".
"""
from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple
from xml.etree import ElementTree


class Outcome(NamedTuple):
    """One test, or several of one program that ended alike."""

    name: str
    kind: str  # passed, failed or skipped
    count: int
    reason: str


def cmocka_counts(output: str) -> dict[str, int]:
    """What a cmocka program said about its test cases; empty for any other program."""
    return {kind.lower(): int(count) for kind, count in
            re.findall(r"^\[\s+(PASSED|FAILED|SKIPPED)\s+\] (\d+) test", output, re.MULTILINE)}


def outcomes_of(case: ElementTree.Element, suite: str) -> Iterator[Outcome]:
    name = "::".join(part for part in (case.get("classname"), case.get("name")) if part)
    name = name if name.startswith(suite) else f"{suite}: {name}"
    trouble = case.find("failure") if case.find("failure") is not None else case.find("error")
    skipped = case.find("skipped")
    counts = cmocka_counts(case.findtext("system-out") or "")

    if skipped is not None:
        yield Outcome(name, "skipped", 1, skipped.get("message") or "")
        return
    for kind, count in counts.items():
        if count:
            yield Outcome(name, kind, count, "")
    if trouble is not None and not counts.get("failed"):
        yield Outcome(name, "failed", 1, trouble.get("message") or "")
    elif trouble is None and not counts:
        yield Outcome(name, "passed", 1, "")


def read_suite(path: Path, suite: str) -> list[Outcome]:
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        return [Outcome(suite, "failed", 1, f"left no result: {error}")]
    if not cases:
        return [Outcome(suite, "failed", 1, "ran no test")]
    return [outcome for case in cases for outcome in outcomes_of(case, suite)]


def main() -> int:
    directory, suites = Path(sys.argv[1]), sys.argv[2:]
    outcomes = [outcome for suite in suites for outcome in read_suite(directory / f"{suite}.xml", suite)]
    for kind in ("skipped", "failed"):
        for outcome in outcomes:
            if outcome.kind == kind:
                first_line = outcome.reason.strip().splitlines()[:1]
                print(f"{kind}: {outcome.name}" + (f" ({first_line[0][:200]})" if first_line else ""))
    total = {kind: sum(outcome.count for outcome in outcomes if outcome.kind == kind)
             for kind in ("passed", "failed", "skipped")}
    print(", ".join(f"{count} {kind}" for kind, count in total.items()))
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
