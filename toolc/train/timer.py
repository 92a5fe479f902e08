"""How long the work on a run took, over all the processes that went on with it."""

from __future__ import annotations

import json
import os
import time

from toolc.output import write_file

NOTED = "seconds.json"


class Timer:
    """Seconds that led to what is whole: what is lost with a process, and done again, counts
    once."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, NOTED)
        self._began = time.monotonic()
        self.seconds = self._noted()

    def _noted(self) -> float:
        try:
            with open(self._path, encoding="utf-8") as file:
                return float(json.load(file))
        except (FileNotFoundError, ValueError, TypeError, RecursionError):
            return 0.0

    def note(self) -> None:
        """Counts what was done up to here."""
        now = time.monotonic()
        self.seconds, self._began = self.seconds + now - self._began, now
        write_file(self._path, f"{self.seconds:.3f}\n".encode())
