"""Uploads in forms that HTTP and MIME allow and that some library or proxy somewhere sends."""
from __future__ import annotations

import pytest

from support.daemon import Daemon
from support.replay import REPLAYS, Replay

NAMES = sorted(path.stem for path in (REPLAYS / "odd_uploads").glob("*.http"))


@pytest.mark.parametrize("name", NAMES)
def test_upload_arrives(shared_daemon: Daemon, name: str) -> None:
    with Replay(shared_daemon, "odd_uploads") as odd:
        uploaded = odd.ok(name).json
        assert (uploaded["name"], uploaded["sizeInBytes"]) == ("odd.txt", 14)
        with odd.daemon.client(odd.identifier) as client:
            assert client.download("odd.txt").body == b"odd but right\n"
