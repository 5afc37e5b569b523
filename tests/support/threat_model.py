"""Checks that docs/threat-model.md names nothing that is not there.

usage: threat_model.py [FILE]

In a table of promises, the middle column may name files (`ids/range.c`), functions and constants, and the
last one escape tests (`category/name`), other test files and suites. Each must exist.
"""
from __future__ import annotations

import re
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
SOURCES = [path for folder in ("sandboxd", "base", "policy", "agent") for path in (TREE / folder).rglob("*")
           if path.suffix in (".c", ".h", ".py", ".json")]
# Words of the kernel, which the sources need not define; names of system calls are looked up below.
FOREIGN = re.compile(r"^(-|SECCOMP|CLONE_|PR_|SO_|EPERM|ENOSYS|ENOSPC|SIG|/)")
CALLS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text()


def exists_below(name: str, *folders: str) -> bool:
    """A path below one of the folders, `*` as in a shell."""
    return any(any((TREE / folder).glob(name)) for folder in folders)


def is_file_of_ours(name: str) -> bool:
    return exists_below(name, ".", "sandboxd", "base", "docs", "agent")


def is_in_sources(word: str, texts: list[str]) -> bool:
    pattern = re.compile(rf"\b{re.escape(word)}\b")
    return any(pattern.search(text) for text in texts)


def keeper_exists(name: str, texts: list[str]) -> bool:
    if FOREIGN.match(name) or is_file_of_ours(name) or f"__NR_{name.rstrip('*')}" in CALLS:
        return True
    return all(is_in_sources(word, texts) for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]+", name))


def test_exists(name: str) -> bool:
    escape = f"{name}.py" if "/" in name else f"*/{name}.py"
    if exists_below(escape, "tests/escape") or exists_below(name, ".", "tests", "tests/escape"):
        return True
    return exists_below(f"{name}/*", "tests/contract/cases", "tests/contract") or \
        exists_below(f"{name.removeprefix('contract/')}*", "tests/contract", "tests/contract/cases")


def rows(text: str) -> list[list[str]]:
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 3 and cells[0] != "promise" and "---" not in line:
            found.append(cells)
    return found


def main() -> int:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else TREE / "docs" / "threat-model.md"
    texts = [source.read_text(errors="replace") for source in SOURCES]
    complaints = []
    promises = rows(path.read_text())
    if not promises:
        complaints.append("no promise at all")
    for promise, keepers, tests in promises:
        names = re.findall(r"`([^`]+)`", tests)
        complaints += [f"{promise}: no such test: {name}" for name in names if not test_exists(name)]
        complaints += [f"{promise}: no such line of ours: {name}"
                       for name in re.findall(r"`([^`]+)`", keepers) if not keeper_exists(name, texts)]
        if not names:
            complaints.append(f"{promise}: no test is named")
    for complaint in complaints:
        print(f"{path.name}: {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
