"""@llamaindex/azure: an application that finds its pool and its token by the environment alone."""
from __future__ import annotations

from pathlib import Path
from support.application import last_json, run_app
from support.daemon import Daemon


def test_an_application_for_azure_works_unchanged(checking_daemon: Daemon, tmp_path: Path) -> None:
    said = last_json(run_app("sales_report.mjs", checking_daemon, tmp_path))

    assert (said["uploaded"]["filename"], said["uploaded"]["size"]) == ("sales.csv", 67)
    assert said["totals"]["stdout"] == "region\nnorth    200\nsouth    450\n"
    assert (said["totals"]["result"], said["totals"]["stderr"]) == (450, "")
    assert said["picture"].startswith("\x89PNG")
    assert said["mistake"]["stderr"].rstrip().endswith("KeyError: 'profit'")
    assert [file["filename"] for file in said["listed"]] == ["sales.csv", "totals.csv"]
    assert said["downloaded"] == "region,amount\nnorth,200\nsouth,450\n"
