"""A model played from a script by `sandpool tape serve`: what tests of the agent talk to."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
SANDPOOL = Path(os.environ.get("SANDPOOL_BUILD", TREE / "build")).resolve() / "bin" / "sandpool"
DEADLINE_S = 20


class ScriptedModel:
    """`url` is what OpenAI's clients call the base URL; it ends with /v1."""

    def __init__(self, directory: Path, script: str, *arguments: str) -> None:
        self.path = directory / "model.script"
        self.path.write_text(script)
        self.process = subprocess.Popen([str(SANDPOOL), "tape", "serve", str(self.path), *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()

    def close(self) -> tuple[int, str]:
        """Exit status, 5 where a request was not what the script expects, and the messages."""
        self.process.terminate()
        _, messages = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, messages
