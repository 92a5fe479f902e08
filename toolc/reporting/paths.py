"""Everywhere that two JSON values differ, by path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from toolc_runtime.values import canonical


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


ABSENT: Any = _Absent()
"""What one side does not have."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Difference(NamedTuple):
    """A place where two values differ; `$` is the whole."""

    path: str
    before: Any
    after: Any

    def to_json(self) -> dict[str, Any]:
        """`path`, and `before` and `after` where that side has the place."""
        sides = (("before", self.before), ("after", self.after))
        return {"path": self.path} | {name: side for name, side in sides if side is not ABSENT}


def differences(before: Any, after: Any, path: str = "$") -> Iterator[Difference]:
    """The innermost places where two JSON values differ. The order of keys is of no account, that
    of items is; `true` is not `1`, and `1` is `1.0`."""
    if before is after:
        return
    if type(before) is dict and type(after) is dict:
        for key in [*before, *(key for key in after if key not in before)]:
            inner = step(path, key)
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), inner)
    elif type(before) is list and type(after) is list:
        for index in range(max(len(before), len(after))):
            inner = f"{path}[{index}]"
            yield from differences(_at(before, index), _at(after, index), inner)
    elif not _same(before, after):
        yield Difference(path, before, after)


def step(path: str, key: str) -> str:
    """The path of a member of an object."""
    return f"{path}.{key}" if _NAME.fullmatch(key) else f"{path}[{canonical(key)}]"


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _same(before: Any, after: Any) -> bool:
    if before is ABSENT or after is ABSENT:
        return False
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    return bool(before == after)
