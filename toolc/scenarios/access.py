"""What a call reads, row by row: it is run once more on a copy of the state that keeps count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from toolc.scenarios.dependencies import WHOLE, Access, Place
from toolc_runtime.errors import Fail
from toolc_runtime.state import Source, State, Table, fork
from toolc_runtime.tool import Tool


class _Watched(Table[Any, Any]):
    """A table that notes which of its rows are looked at."""

    __slots__ = ("places",)

    def __init__(self, table: Table[Any, Any], places: set[Place]) -> None:
        source = Source(table._rows, table._changed or {}, table._added or {})
        super().__init__(table._name, source, table._context)
        self.places = places

    def get(self, key: Any) -> Any:
        self.places.add((self._name, key))
        return super().get(key)

    def __getitem__(self, key: Any) -> Any:
        self.places.add((self._name, key))
        return super().__getitem__(key)

    def __len__(self) -> int:
        self.places.add((self._name, WHOLE))
        return super().__len__()

    def items(self) -> Collection[tuple[Any, Any]]:
        self.places.add((self._name, WHOLE))
        return super().items()

    def keys(self) -> Collection[Any]:
        self.places.add((self._name, WHOLE))
        return super().keys()

    def values(self) -> Collection[Any]:
        self.places.add((self._name, WHOLE))
        return super().values()


def reads(name: str, tool: Tool, state: State, arguments: Sequence[Any]) -> frozenset[Place]:
    """The rows that a call reads in a state, which it leaves as it is; scalars as the tool's
    effects have them."""
    places: set[Place] = set()
    copy = fork(state)
    tables = state._toolc.base.tables
    for each in {*tool.reads, *tool.writes}:
        if each in tables:
            vars(copy)[each] = _Watched(getattr(copy, each), places)
    places.update((each, None) for each in tool.reads if each not in tables)
    copy._toolc.draws.call = (name, arguments)
    with suppress(Fail):
        tool.function(copy, *arguments)
    return frozenset(places)


def access(read: frozenset[Place], writes: dict[str, Any]) -> Access:
    """What a call did, given what it read and its writes as the trace has them."""
    written = {
        (name, key)
        for name, change in writes.items()
        for key in (change if isinstance(change, dict) else (None,))
    }
    return Access(read, frozenset(written))
