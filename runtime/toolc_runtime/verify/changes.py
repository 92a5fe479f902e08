"""Changes of state: how two values differ field by field, and the form that this has in JSON.

A *delta* says how one value became another, as an object from marked JSON Pointers to values:

    "/status": "cancelled"      the field was set
    "#/balance": [40.0, 52.5]   a number moved from one value to another
    "+/payments": [{...}]       members were appended to the list
    "-/cancel_reason": null     the field was removed
    "": {...}                   the whole: a row that was inserted, a scalar that was set

A row that was deleted has null in place of a delta.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from toolc_runtime.values import key_text, plain
from toolc_runtime.verify.equality import OPEN, Renaming, close, same
from toolc_runtime.verify.record import Changes

Delta = dict[str, Any]
_ABSENT = object()
_NUMBERS = frozenset({int, float, Decimal})


def row_delta(before: Any, after: Any) -> Delta | None:
    """How a row changed; `before` and `after` are None where there is none."""
    if after is None:
        return None
    if before is None:
        return {"": after}
    return value_delta(before, after)


def value_delta(before: Any, after: Any) -> Delta:
    """How a value changed; empty where it did not."""
    delta: Delta = {}
    _compare("", before, after, delta)
    return delta


def _compare(path: str, before: Any, after: Any, delta: Delta) -> None:
    kind = type(after)
    if kind is type(before):
        if kind is str:
            if before != after:
                delta[path] = after
            return
        if kind is dict:
            _compare_dicts(path, before, after, delta)
            return
        if kind is list:
            _compare_lists(path, before, after, delta)
            return
    if same(before, after):
        return
    if kind in _NUMBERS and type(before) in _NUMBERS:
        delta["#" + path] = [before, after]
    else:
        delta[path] = after


def _compare_dicts(path: str, before: dict[Any, Any], after: dict[Any, Any], delta: Delta) -> None:
    added = 0
    for key, value in after.items():
        old = before.get(key, _ABSENT)
        if old is value:
            continue
        if old is _ABSENT:
            added += 1
            delta[f"{path}/{_escape(key)}"] = value
        else:
            _compare(f"{path}/{_escape(key)}", old, value, delta)
    if len(before) + added > len(after):
        for key in before:
            if key not in after:
                delta[f"-{path}/{_escape(key)}"] = None


def _compare_lists(path: str, before: list[Any], after: list[Any], delta: Delta) -> None:
    size = len(before)
    if len(after) == size:
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old is not new:
                _compare(f"{path}/{index}", old, new, delta)
    elif len(after) > size and all(
        old is new or same(old, new) for old, new in zip(before, after, strict=False)
    ):
        delta["+" + path] = after[size:]
    else:
        delta[path] = after


def _escape(key: Any) -> str:
    text = key_text(key)
    return text.replace("~", "~0").replace("/", "~1") if "~" in text or "/" in text else text


def deltas(writes: Changes) -> dict[str, Any]:
    """By table `{key text: delta}`, by scalar its delta; what did not change is left out."""
    found: dict[str, Any] = {}
    for name, change in writes.items():
        if type(change) is tuple:
            made = value_delta(*change)
        else:
            made = {}
            for key, (before, after) in change.items():
                delta = row_delta(before, after)
                if delta or (delta is None and before is not None):
                    made[key if type(key) is str else key_text(key)] = delta
        if made:
            found[name] = made
    return found


def encode_writes(writes: Changes) -> dict[str, Any]:
    """What a call wrote, as a step's `writes` in scenarios.jsonl holds it."""
    encoded: dict[str, Any] = plain(deltas(writes))
    return encoded


def encode_changes(changes: Changes) -> dict[str, Any]:
    """`{table: {key: row or null}, scalar: value}`, as a task's `state` holds it; what was changed
    back is left out."""
    found: dict[str, Any] = {}
    for name, change in changes.items():
        if type(change) is not tuple:
            rows = {
                key_text(key): plain(after)
                for key, (before, after) in change.items()
                if not same(before, after)
            }
            if rows:
                found[name] = rows
        elif not same(*change):
            found[name] = plain(change[1])
    return found


def same_writes(expected: Mapping[str, Any], found: Mapping[str, Any], ids: Renaming) -> bool:
    """Whether a call wrote what the step wrote. A number that moved may agree in the value it
    moved to or in the amount it moved by, so that steps may come in any order that the plan's
    dependencies allow."""
    if ids.unify(expected, found):
        return True
    return _any_moves(expected) and ids.unify(_amounts(ids.apply(expected), found), found)


def _any_moves(writes: Mapping[str, Any]) -> bool:
    return any(
        path.startswith("#") or (isinstance(delta, dict) and _any_moves(delta))
        for path, delta in writes.items()
    )


def _amounts(expected: Any, found: Any) -> Any:
    """`expected`, with the found values in place of numbers that agree with them."""
    made = {}
    for key, value in expected.items():
        other = found.get(key) if isinstance(found, Mapping) else None
        if key.startswith("#") and isinstance(value, list) and isinstance(other, list):
            made[key] = plain(other) if _moved_alike(value, other) else value
        elif isinstance(value, dict) and isinstance(other, dict):
            made[key] = _amounts(value, other)
        else:
            made[key] = value
    return made


def _moved_alike(expected: list[Any], found: list[Any]) -> bool:
    before, after, start, end = map(_number, (*expected, *found))
    return close(after, end) or close(after - before, end - start)


def _number(value: Any) -> float:
    return float(value)


def readable(writes: Mapping[str, Any]) -> dict[str, Any]:
    """Writes for a message: by row or scalar the fields that were written, each with its value."""
    shown: dict[str, Any] = {}
    for name, change in writes.items():
        if change is OPEN:
            shown[name] = change
        elif all(delta is None or delta is OPEN or is_delta(delta) for delta in change.values()):
            shown |= {f"{name}[{key}]": _readable(delta) for key, delta in change.items()}
        else:
            shown[name] = _fields(change)
    return shown


def _readable(delta: Any) -> Any:
    return _fields(delta) if isinstance(delta, dict) and delta else delta


def is_delta(value: Any) -> bool:
    """Whether a JSON value looks like a delta."""
    return isinstance(value, dict) and all(
        key in ("", "#") or key.lstrip("#+-").startswith("/") for key in value
    )


def _fields(delta: Delta) -> Any:
    if "" in delta or "#" in delta:
        return delta[""] if "" in delta else _last(delta["#"])
    fields = {}
    for path, value in delta.items():
        mark, _, label = path.partition("/")
        name = label.replace("/", ".").replace("~1", "/").replace("~0", "~")
        fields[name + _NOTES.get(mark, "")] = _last(value) if mark == "#" else value
    return fields


def _last(move: Any) -> Any:
    return move if move is OPEN else move[-1]


_NOTES = {"+": " (appended)", "-": " (removed)"}


# ---------------------------------------------------------------- ignored paths


class Ignored:
    """Paths that a comparison of states leaves out: `table`, `scalar`, `table.field.path`."""

    __slots__ = ("_paths",)

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths: dict[str, list[list[str]]] = {}
        for path in paths:
            name, *rest = path.split(".")
            self._paths.setdefault(name, []).append(rest)

    def whole(self, name: str) -> bool:
        """Whether a table or scalar is ignored altogether."""
        return [] in self._paths.get(name, ())

    def within(self, name: str) -> list[list[str]]:
        """The paths ignored inside the rows of a table or the value of a scalar."""
        return self._paths.get(name, [])


def without(value: Any, path: list[str]) -> Any:
    """The value without what the path leads to; lists, and dicts that lack the label, are passed
    through."""
    if isinstance(value, list):
        return [without(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    label, *rest = path
    if label not in value:
        return {key: without(item, path) for key, item in value.items()}
    if not rest:
        return {key: item for key, item in value.items() if key != label}
    return {key: without(item, rest) if key == label else item for key, item in value.items()}
