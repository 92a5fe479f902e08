"""What an emitted `tools.py` says of a tool beside its function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Tool:
    """A tool: its function, the tables and scalars it reads and writes, and its atomicity.

    As emitted: `"cancel_order": Tool(cancel_order, reads=("orders",), writes=("orders",))`.
    """

    __slots__ = ("function", "keeps_effects", "reads", "writes")

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        reads: tuple[str, ...] = (),
        writes: tuple[str, ...] = (),
        keeps_effects: bool = False,
    ) -> None:
        self.function = function
        self.reads = reads
        self.writes = writes
        self.keeps_effects = keeps_effects
