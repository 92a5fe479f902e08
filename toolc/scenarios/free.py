"""What the free arguments of a plan determine, found by playing it with other values of them.

A step leaves an argument `free` to the model. Whatever differs where the plan is played with
another value of it, in what steps wrote, in what later ones showed, in the state, is *open*: a
comparison leaves it out. Open places are paths into a line of scenarios.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from toolc_runtime.episode import Episode
from toolc_runtime.trace import Call
from toolc_runtime.values import canonical, plain
from toolc_runtime.verify import encode_changes, encode_writes
from toolc_runtime.verify.changes import is_delta
from toolc_runtime.verify.equality import Renaming, same
from toolc_runtime.verify.plan import opened

Json = dict[str, Any]
Path = tuple[str | int, ...]


class Playing(NamedTuple):
    """The calls of a plan, the state at the end of each turn, and the ids that were drawn."""

    calls: tuple[Json, ...]
    states: tuple[Json, ...]
    fresh: tuple[str, ...]


def called(call: Call) -> Json:
    """A call as a step's line has it."""
    outcome = "failure" if call.status == "failed" else "result"
    return {
        "tool": call.tool,
        "arguments": plain(dict(call.arguments)),
        outcome: plain(call.result),
        "writes": encode_writes(call.writes),
    }


def state_of(episode: Episode) -> Json:
    """What the episode changed, as a task's line has it."""
    return {"state": encode_changes(episode.changes())}


def as_in(first: Playing, other: Playing) -> Playing | None:
    """The other playing with the first one's ids; None where they are not as many."""
    if len(first.fresh) != len(other.fresh) or len(first.calls) != len(other.calls):
        return None
    pairs = dict(zip(other.fresh, first.fresh, strict=True))
    ids = Renaming(other.fresh, first.fresh, pairs)
    return Playing(tuple(ids.apply(list(other.calls))), tuple(ids.apply(list(other.states))), ())


def places(expected: Any, found: Any, path: Path = ()) -> Iterator[Path]:
    """Where two JSON values differ."""
    if same(expected, found):
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        yield from _in_dicts(expected, found, path)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (left, right) in enumerate(zip(expected, found, strict=True)):
            yield from places(left, right, (*path, index))
    else:
        yield path


def _in_dicts(expected: Json, found: Json, path: Path) -> Iterator[Path]:
    gone = [key for key in expected if key not in found]
    more = [key for key in found if key not in expected]
    delta = bool(path) and path[0] == "writes" and is_delta(expected) and is_delta(found)
    if gone and more and not delta and len(path) > 1:
        yield path
        return
    for key in (*gone, *more):
        yield (*path, _shared(key, gone, more) if delta else key)
    for key in expected:
        if key in found and not same(expected[key], found[key]):
            if delta and key.startswith("#"):
                yield (*path, key)
            else:
                yield from places(expected[key], found[key], (*path, key))


def _shared(pointer: str, gone: Sequence[str], more: Sequence[str]) -> str:
    """The dict that a pointer leads into, where both have keys there that the other lacks."""
    parent = pointer.rpartition("/")[0].lstrip("#+-")
    both = all(any(_is_in(key, parent) for key in keys) for keys in (gone, more))
    return parent if parent and both else pointer


def _is_in(pointer: str, parent: str) -> bool:
    return pointer.lstrip("#+-").startswith(f"{parent}/")


def repeated(expected: Any, found: Any, value: Any, other: Any) -> Iterator[Path]:
    """Where what a call gave repeats an argument, `value` in the one and `other` in the other."""
    for path in places(expected, found):
        left, right = at(expected, path), at(found, path)
        if all(isinstance(text, str) for text in (left, right, value, other)):
            if value and value in left and left.replace(value, other) == right:
                yield path
        elif same(left, value) and same(right, other):
            yield path


def at(value: Any, path: Path) -> Any:
    """What a path leads to; None where it leads nowhere."""
    for label in path:
        inside = isinstance(value, dict) and label in value
        value = value[label] if inside or isinstance(value, list) else None
    return value


def seen(call: Json, open_: Iterable[Path], names: Sequence[str], to: Sequence[str]) -> str:
    """What matching compares of a call beside its arguments, with the reference's ids in place of
    its own, in order."""
    kept = {name: call[name] for name in ("writes", "result", "failure") if name in call}
    text = canonical(kept)
    for name, other in zip(names, to, strict=False):
        text = text.replace(name, other)
    line = opened({**json.loads(text), "open": open_})
    shown = line["writes"] or line.get("result", line.get("failure"))
    return canonical(["failure" in line, bool(line["writes"]), shown])
