"""How long a test waits before it gives up, on machines of different speed.

SANDPOOL_SLOWNESS is a factor for every deadline of the tests: 1 on a machine, more in an emulated one. It
changes no limit of the daemon.
"""
from __future__ import annotations

import os

SLOWNESS = float(os.environ.get("SANDPOOL_SLOWNESS", "1"))
