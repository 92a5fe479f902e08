"""A run in several processes, as `accelerate launch` and `torchrun` start them.

The first of them writes the run's files, evaluates and speaks. The others learn with it, and wait
where it does more than they do.
"""

from __future__ import annotations

import os
from datetime import timedelta

from toolc.train.models import on_processor

PATIENCE = timedelta(days=1)
"""How long the others wait: evaluations take long."""


def number() -> int:
    """How many processes there are."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def is_first() -> bool:
    """Whether this is the process that writes."""
    return int(os.environ.get("RANK") or 0) == 0


def wait() -> None:
    """Waits until all processes are here."""
    if number() > 1:
        from accelerate import PartialState

        PartialState(cpu=on_processor(), timeout=PATIENCE).wait_for_everyone()
