"""Canonical JSON texts, remembered by the object that they are the text of.

Most results are rows, or hold parts of rows, that many episodes share: values are persistent, so
one object has one text for as long as it lives. An entry holds its object, so that an identity is
never met again with another meaning.
"""

from __future__ import annotations

from typing import Any

from toolc_runtime.budget import MAX_OUTPUT, TOO_LONG, check_weight
from toolc_runtime.errors import BudgetExceeded
from toolc_runtime.values import canonical, encode_text

MAX_CHARACTERS = 16_000_000
"""Of remembered texts in all; beyond it everything is forgotten."""
_SMALL = 3  # members; a smaller object is written as fast as it is looked up
_CONTAINERS = frozenset({dict, list})
_LONGEST = 100_000


class Texts:
    """The texts of one environment's results. Safe to share between threads."""

    __slots__ = ("_known", "_labels", "_size")

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, str]] = {}
        self._labels: dict[str, str] = {}
        self._size = 0

    def of(self, value: Any, keep: bool = True) -> str:
        """`canonical(value)`; `keep` where the value will be met again. BudgetExceeded where it
        would be too long or is too deep."""
        if type(value) is not dict or len(value) < _SMALL:
            return _written(value)
        known = self._known.get(id(value))
        if known is not None and known[0] is value:
            return known[1]
        if not keep and self._known.keys().isdisjoint(map(id, value.values())):
            return _written(value)
        parts = []
        labels = self._labels
        left = MAX_OUTPUT
        for key, item in value.items():
            label = labels.get(key)
            if label is None:
                if type(key) is not str:
                    return _written(value)
                label = labels[key] = f"{canonical(key)}:"
                self._size += len(label)
            kind = type(item)
            if kind is str:
                text = encode_text(item)
            elif kind in _CONTAINERS and item:
                found = self._known.get(id(item))
                if found is not None and found[0] is item:
                    text = found[1]
                else:
                    text = _written(item)
                    if keep:
                        self._keep(item, text)
            else:
                text = canonical(item)
            left -= len(text)
            if left < 0:  # one part may stand in many places
                raise BudgetExceeded(TOO_LONG)
            parts.append(label + text)
        made = "{" + ",".join(parts) + "}"
        if keep:
            self._keep(value, made)
        return made

    def _keep(self, value: Any, text: str) -> None:
        if len(text) > _LONGEST:
            return
        self._size += len(text)
        if self._size > MAX_CHARACTERS:
            self._known.clear()
            self._labels.clear()
            self._size = len(text)
        self._known[id(value)] = (value, text)


def _written(value: Any) -> str:
    """The canonical text of a value, which is weighed before it is written."""
    if type(value) in _CONTAINERS:
        check_weight(value)
    return canonical(value)
