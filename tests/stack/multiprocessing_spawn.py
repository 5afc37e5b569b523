# timeout: 150
# A function of a notebook cannot be found by a fresh interpreter, so it comes from a module.
import multiprocessing as mp
import sys
from pathlib import Path
Path("/mnt/data/spawned.py").write_text("import os\ndef square(n):\n    return n * n\n")
sys.path.insert(0, "/mnt/data")
import spawned
for method in ("spawn", "forkserver"):
    with mp.get_context(method).Pool(2) as pool:
        assert pool.map(spawned.square, range(10)) == [n * n for n in range(10)], method
