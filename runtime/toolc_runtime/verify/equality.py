"""Equality of a plan's value, as JSON, and an episode's value, of JSON's or the runtime's types.

Numbers are equal within 1e-9, absolutely or relatively, integers exactly; a bool is not a number;
lists are compared in order, objects whatever the order of their keys. A date, duration or decimal
of the runtime is compared with its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from toolc_runtime.values import canonical, plain

TOLERANCE = 1e-9
_EXACT = frozenset({str, bool, int, type(None)})
_NUMBERS = frozenset({int, float})
_TRAPS = frozenset({bool, int, float, dict, list})


class Open(str):
    """What stands in a plan's value for anything."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


OPEN = Open("(anything)")


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal; the plan's is the left one, and may hold `OPEN`."""
    if left is right:
        return True
    kind, other = type(left), type(right)
    if kind is not other:
        if left is OPEN:
            return True
        if kind in _NUMBERS and other in _NUMBERS:
            return close(left, right)
        if kind in _JSON and other in _JSON:
            return False
        return _of_text(left, right)
    if kind in _EXACT:
        return bool(left == right)
    if kind is dict:
        return _same_dicts(left, right)
    if kind is list:
        return len(left) == len(right) and all(map(same, left, right))
    if kind is float:
        return close(left, right)
    return bool(left == right)


def _same_dicts(left: dict[Any, Any], right: dict[Any, Any]) -> bool:
    if len(left) != len(right):
        return has_open(left) and _same_dicts(*closed(left, right))
    for key, value in left.items():
        other = right.get(key, _MISSING)
        if value is not other and (other is _MISSING or not same(value, other)):
            return has_open(left) and _same_dicts(*closed(left, right))
    return True


def has_open(value: dict[Any, Any]) -> bool:
    """Whether one of the values is open."""
    return any(item is OPEN for item in value.values())


def holds_open(value: Any) -> bool:
    """Whether something in a JSON value is open."""
    if isinstance(value, (dict, list)):
        return any(map(holds_open, value.values() if isinstance(value, dict) else value))
    return value is OPEN


def closed(
    expected: dict[Any, Any], found: dict[Any, Any], keep: Callable[[str], bool] = lambda key: False
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Both without what is open in the first one: these keys, and what marked pointers to these
    places lead to. Open keys that `keep` holds of stay."""
    opened = {key for key, item in expected.items() if item is OPEN and not keep(key)}

    def rest(value: dict[Any, Any]) -> dict[Any, Any]:
        return {
            key: item
            for key, item in value.items()
            if key not in opened and not any(_covers(place, key) for place in opened)
        }

    return rest(expected), rest(found)


def _covers(place: Any, key: Any) -> bool:
    """Whether a marked pointer leads to an open place, or into it."""
    if type(place) is not str or type(key) is not str:
        return False
    pointer, other = place.lstrip("#+-"), key.lstrip("#+-")
    if pointer and not pointer.startswith("/"):
        return False
    return other == pointer or other.startswith(f"{pointer}/")


_MISSING = object()
_JSON = frozenset({str, bool, int, float, type(None), dict, list})


def close(left: float, right: float) -> bool:
    """Whether two numbers are within the tolerance."""
    if left == right:
        return True
    gap = abs(left - right)
    return gap <= TOLERANCE or gap <= TOLERANCE * max(abs(left), abs(right))


def _of_text(left: Any, right: Any) -> bool:
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        try:
            return Decimal(str(left)) == Decimal(str(right))
        except InvalidOperation:
            return False
    first, second = plain(left), plain(right)
    return type(first) is type(second) and same(first, second)


class Value:
    """A plan's value, made ready to be compared often.

    Values are never changed in place, so that the object found equal last is equal again: rows
    that were only read are the same objects in every episode. Else `==`, which runs in C, decides;
    but it takes `True` for `1`, so the places where the two could be confused are noted once, when
    they are first asked for.
    """

    __slots__ = ("_last", "_traps", "json")

    def __init__(self, json: Any) -> None:
        self.json = json
        self._last = json
        self._traps: Any = _MISSING

    def matches(self, found: Any, exactly: bool = False) -> bool:
        """Whether a value is equal; `exactly`: numbers without tolerance."""
        if found is self._last:
            return True
        if self.json == found:
            traps = self._traps
            if traps is _MISSING:
                traps = self._traps = _traps(self.json)
            if traps is None or _passes(traps, found):
                self._last = found
                return True
        return not exactly and same(self.json, found)


def _traps(value: Any) -> Any:
    """The type that stands where a bool, 0 or 1 does; what holds such places, as (key, place)
    pairs; else None."""
    kind = type(value)
    if kind is dict or kind is list:
        if _TRAPS.isdisjoint(map(type, value.values() if kind is dict else value)):
            return None
        pairs = value.items() if kind is dict else enumerate(value)
        found = [(key, _traps(item)) for key, item in pairs if type(item) in _TRAPS]
        return tuple(pair for pair in found if pair[1] is not None) or None
    return kind if kind is bool or (kind in _NUMBERS and value in (0, 1)) else None


def _passes(traps: Any, found: Any) -> bool:
    if type(traps) is type:
        return type(found) is traps
    for key, trap in traps:
        item = found[key]
        if type(item) is not trap if type(trap) is type else not _passes(trap, item):
            return False
    return True


# ---------------------------------------------------------------- fresh ids


class Renaming:
    """A one-to-one pairing of the plan's fresh ids with the episode's, grown as values are matched.

    Inside a longer text an id counts where no letter or digit stands next to it.
    """

    __slots__ = ("_backward", "_forward", "_found", "_known", "_own", "idle")

    def __init__(
        self, planned: Iterable[str], own: Iterable[str], pairs: Mapping[str, str] | None = None
    ) -> None:
        self._known = frozenset(planned)
        self.idle = not self._known
        """Whether the plan drew no ids, so that there is nothing to rename."""
        self._own = frozenset(own)
        self._found = _any_of(self._known) if self._known else _NONE
        self._forward: dict[str, str] = {}
        self._backward: dict[str, str] = {}
        for name, other in (pairs or {}).items():
            self._pair(name, other)

    def mentions(self, text: str) -> bool:
        """Whether a text of the plan holds one of its fresh ids."""
        return self._found.search(text) is not None

    def pairs(self) -> Mapping[str, str]:
        """The plan's id to the episode's, as paired so far."""
        return self._forward

    def mark(self) -> int:
        """A point to go back to."""
        return len(self._forward)

    def back(self, mark: int) -> None:
        """Forget what was paired since the mark."""
        while len(self._forward) > mark:
            _, own = self._forward.popitem()
            del self._backward[own]

    def unify(self, expected: Any, found: Any) -> bool:
        """Whether the values are equal up to the pairing, which grows as needed; where they are
        not, it is left as it was."""
        if self.idle:
            return same(expected, found)
        mark = self.mark()
        if self._unify(expected, plain(found)):
            return True
        self.back(mark)
        return False

    def agree(self, expected: Any, found: Any) -> bool:
        """Whether the values could be unified; the pairing stays as it is."""
        mark = self.mark()
        agreed = self.unify(expected, found)
        self.back(mark)
        return agreed

    def learn(self, expected: Any, found: Any) -> None:
        """Pair what two JSON values that need not be equal have in the same places."""
        if self.unify(expected, found):
            return
        if isinstance(expected, dict) and isinstance(found, dict):
            for key, value in expected.items():
                name = self.apply(key)
                if name in found:
                    self.learn(value, found[name])
        elif isinstance(expected, list) and isinstance(found, list):
            for value, other in zip(expected, found, strict=False):
                self.learn(value, other)

    def apply(self, value: Any) -> Any:
        """A plan's value with the episode's ids in place of the paired ones."""
        if not self._forward or value is OPEN:
            return value
        if isinstance(value, str):
            return self._found.sub(lambda hit: self._forward.get(hit[0], hit[0]), value)
        if isinstance(value, dict):
            return {self.apply(key): self.apply(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        return value

    def _unify(self, expected: Any, found: Any) -> bool:
        if expected is OPEN:
            return True
        if isinstance(expected, str):
            return isinstance(found, str) and self._unify_text(expected, found)
        if isinstance(expected, dict):
            return isinstance(found, dict) and self._unify_dict(expected, found)
        if isinstance(expected, list):
            return (
                isinstance(found, list)
                and len(expected) == len(found)
                and all(map(self._unify, expected, found))
            )
        return same(expected, found)

    def _unify_text(self, expected: str, found: str) -> bool:
        ids = self._found.findall(expected)
        if not ids:
            return expected == found
        loose = [name for name in ids if name not in self._forward]
        if not loose:
            return bool(self.apply(expected) == found)
        hits = re.fullmatch(self._pattern(expected), found, re.DOTALL)
        if hits is None:
            # An id that the episode never drew stands for itself.
            return self._own.isdisjoint(loose) and bool(self.apply(expected) == found)
        return all(map(self._pair, ids, hits.groups()))

    def _pattern(self, expected: str) -> str:
        own = "|".join(map(re.escape, sorted(self._own, key=lambda name: (-len(name), name))))
        parts = [re.escape(part) for part in self._found.split(expected)]
        return f"({own})".join(parts) if own else "(?!)"

    def _pair(self, planned: str, own: str) -> bool:
        if planned in self._forward or own in self._backward:
            return self._forward.get(planned) == own
        self._forward[planned] = own
        self._backward[own] = planned
        return True

    def _unify_dict(self, expected: dict[str, Any], found: dict[str, Any]) -> bool:
        if has_open(expected):
            expected, found = closed(expected, found, self.mentions)
        if len(expected) != len(found):
            return False
        left = dict(found)
        waiting = []
        for key, value in expected.items():
            name = self.apply(key)
            if name in left and (name != key or not self._found.search(key)):
                if not self._unify(value, left.pop(name)):
                    return False
            else:
                waiting.append((key, value))
        return all(self._take(key, value, left) for key, value in waiting)

    def _take(self, key: str, value: Any, left: dict[str, Any]) -> bool:
        for name, other in left.items():
            mark = self.mark()
            if self._unify_text(key, name) and self._unify(value, other):
                del left[name]
                return True
            self.back(mark)
        return False


_NONE = re.compile("(?!)")


@lru_cache(maxsize=1024)
def _any_of(names: frozenset[str]) -> re.Pattern[str]:
    """One of the names, longest first, with no letter or digit next to it."""
    ordered = sorted(names, key=lambda name: (-len(name), name))
    choice = "|".join(map(re.escape, ordered))
    return re.compile(rf"(?<![^\W_])(?:{choice})(?![^\W_])")


# ---------------------------------------------------------------- differences


def difference(expected: Any, found: Any, path: str = "") -> str:
    """Where two values first differ, as a phrase: `status is "pending", not "cancelled"`."""
    expected, found = plain(expected), plain(found)
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected:
            if key not in found:
                if expected[key] is OPEN:
                    continue
                return f"{_join(path, key)} is missing"
            if not same(expected[key], found[key]):
                return difference(expected[key], found[key], _join(path, key))
        extra = next((key for key in found if key not in expected), "")
        return f"{_join(path, extra)} is not expected"
    if isinstance(expected, list) and isinstance(found, list):
        for index, (left, right) in enumerate(zip(expected, found, strict=False)):
            if not same(left, right):
                return difference(left, right, f"{path}[{index}]")
        return f"{path or 'the list'} has {len(found)} members, not {len(expected)}"
    return f"{path or 'it'} is {show(found)}, not {show(expected)}"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def show(value: Any, limit: int = 80) -> str:
    """A value's canonical JSON text, cut where it is long."""
    text = canonical(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
