"""Tables with their rows the other way round: what then is different rests on their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolc_runtime.state import Base, Source
from toolc_runtime.values import canonical


class Reversal:
    """Turns the rows of bases round; those that bases share are turned once."""

    def __init__(self) -> None:
        self._turned: dict[int, tuple[Mapping[Any, Any], Mapping[Any, Any]]] = {}

    def of(self, base: Base) -> Base:
        """The base with the rows of each table in reverse order."""
        tables = {
            name: Source(self._rows(source.rows), source.changed, _turned(source.added))
            for name, source in base.tables.items()
        }
        return base._replace(tables=tables)

    def _rows(self, rows: Mapping[Any, Any]) -> Mapping[Any, Any]:
        known = self._turned.get(id(rows))
        if known is None:
            known = self._turned[id(rows)] = rows, _turned(rows)  # which keeps the id from others
        return known[1]


def _turned(rows: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return dict(reversed(list(rows.items()))) if len(rows) > 1 else rows


def unordered(value: Any) -> str:
    """A JSON value as text that is the same for lists of the same members in any order."""
    return canonical(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=canonical)
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value
