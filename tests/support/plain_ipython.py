"""Runs sessions of cells in plain IPython, outside any sandbox: what they display is what ours must.

Reads lines {"id", "cells"} from standard input; writes {"id", "displays"}, the text/plain form of each cell's
value or null. Run by tests/blackbox/test_corpora.py with the machine's own Python.
"""
from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from IPython.core.interactiveshell import InteractiveShell


def display(shell: InteractiveShell, cell: str) -> str | None:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        result = shell.run_cell(cell, store_history=False)
    if not result.success:
        raise RuntimeError(f"the cell fails outside the sandbox too: {result.error_in_exec!r}")
    if result.result is None:
        return None
    return shell.display_formatter.format(result.result)[0]["text/plain"]


def main() -> None:
    for line in sys.stdin:
        session = json.loads(line)
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance()
        shell.history_manager.enabled = False
        displays = [display(shell, cell) for cell in session["cells"]]
        print(json.dumps({"id": session["id"], "displays": displays}), flush=True)


if __name__ == "__main__":
    main()
