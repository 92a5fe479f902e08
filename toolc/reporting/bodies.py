"""What a page shows of an episode: every value as the text that a person reads.

Values become text here, not in the page: a browser would round integers and drop the `.0` of a
float. All texts are cut at a limit, with a note of how much is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from toolc.reporting.paths import ABSENT, differences, step
from toolc_runtime.values import canonical

Json = dict[str, Any]

WIDTH = 88
"""A value whose text is no longer stands on one line."""
MAX_ITEMS = 400
"""Messages, calls, checks and changes that are shown of an episode."""
LIMITS = (20_000, 2_000, 200)
"""Characters of a text; the smaller ones where the whole would be too large."""


def body(record: Mapping[str, Any], most: int, encode: Callable[[Any], str]) -> str | None:
    """The text of what is shown of an episode, at most so many characters; None where even with
    texts cut short it has more."""
    texts = (encode(_shown(record, _Texts(limit))) for limit in LIMITS)
    return next((text for text in texts if len(text) <= most), None)


class _Texts:
    """Texts of at most so many characters."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def cut(self, text: str) -> str:
        left = len(text) - self.limit
        return text if left <= 0 else f"{text[: self.limit]}\n… {left:,} more characters"

    def value(self, value: Any) -> str:
        """JSON for a person: on one line where it is short."""
        line = json.dumps(value, ensure_ascii=False)
        if len(line) <= WIDTH or not isinstance(value, dict | list):
            return self.cut(line)
        try:
            return self.cut(json.dumps(value, ensure_ascii=False, indent=2))
        except RecursionError:
            return self.cut(line)

    def said(self, content: Any) -> str:
        """What a message says: a text, or something else as JSON."""
        if content is None:
            return ""
        return self.cut(content) if isinstance(content, str) else self.value(content)

    def read(self, content: Any) -> str:
        """Text that may be JSON."""
        if not isinstance(content, str):
            return self.said(content)
        try:
            return self.value(json.loads(content))
        except (ValueError, RecursionError):
            return self.cut(content)


def _shown(record: Mapping[str, Any], texts: _Texts) -> Json:
    said, rest = _conversation(record["messages"], record["calls"], texts)
    return {
        "facts": [[name, texts.cut(text)] for name, text in _facts(record)],
        "said": _some(said, lambda left: {"role": "", "text": _more(left, "messages")}),
        "rest": _some(rest, lambda left: {"tool": _more(left, "calls"), "status": ""}),
        "changes": _some(
            list(_changes(record.get("changes") or {}, texts)),
            lambda left: {"place": _more(left, "changes"), "parts": []},
        ),
        "verdict": _verdict(record["verdict"], texts),
    }


def _some(items: Sequence[Json], rest: Callable[[int], Json]) -> list[Json]:
    left = len(items) - MAX_ITEMS
    return [*items[:MAX_ITEMS], *([rest(left)] if left > 0 else [])]


def _more(number: int, what: str) -> str:
    return f"… {number:,} more {what}"


# ---------------------------------------------------------------- facts


def _facts(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and texts of what is known of the episode as a whole."""
    for name, value in (record["figures"] or {}).items():
        yield name, _figure(value)
    for name, value in (record.get("ftrl") or {}).items():
        yield f"ftrl {name}", _figure(value)
    for name, value in _mapping(record.get("difficulty")):
        yield name, _figure(value)
    for name, value in _mapping(record.get("usage")):
        yield name, _figure(value)
    yield "seed", _figure(record.get("seed"))
    yield "seconds", _figure(record.get("seconds"))


def _mapping(value: Any) -> Iterable[tuple[str, Any]]:
    return islice(value.items(), MAX_ITEMS) if isinstance(value, dict) else ()


def _figure(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else canonical(value)


def _verdict(verdict: Mapping[str, Any] | None, texts: _Texts) -> Json | None:
    if verdict is None:
        return None
    return {
        "reward": verdict["reward"],
        "solved": _figure(verdict.get("solved")),
        "goals": _figure(verdict.get("goals")),
        "checks": _some(
            [
                {
                    "name": texts.cut(check["name"]),
                    "kind": texts.cut(check.get("kind", "")),
                    "value": check["value"],
                    "weight": check.get("weight", 1),
                    "reason": texts.said(check.get("reason")),
                }
                for check in verdict["checks"]
            ],
            lambda left: {"name": _more(left, "checks"), "kind": "", "value": 1, "weight": 1},
        ),
    }


# ---------------------------------------------------------------- conversation


def _conversation(
    messages: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]], texts: _Texts
) -> tuple[list[Json], list[Json]]:
    """The messages with their calls, each with what is recorded of it and was read of it; and the
    recorded calls that no message makes."""
    said: list[Json] = []
    waiting: list[tuple[Any, Json, Any]] = []  # the calls whose results the next messages hold
    used = 0
    for message in messages:
        if message["role"] == "tool" and waiting:
            wanted = message.get("tool_call_id")
            place = next((at for at, each in enumerate(waiting) if each[0] == wanted), 0)
            _, shown, recorded = waiting.pop(place)
            _read(shown, recorded, message.get("content"), texts)
            continue
        waiting = []
        block: Json = {
            "role": texts.cut(message["role"]),
            "text": texts.said(message.get("content")),
        }
        for call in message.get("tool_calls") or ():
            recorded = _recorded(call["function"], calls[used : used + 1])
            used += recorded is not None
            waiting.append((call.get("id"), _call(call["function"], recorded, texts), recorded))
        if waiting:
            block["calls"] = [shown for _, shown, _ in waiting]
        said.append(block)
    return said, [_call({}, recorded, texts) for recorded in calls[used:]]


def _recorded(
    function: Mapping[str, Any], following: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    return next((call for call in following if call["tool"] == function["name"]), None)


def _call(function: Mapping[str, Any], recorded: Mapping[str, Any] | None, texts: _Texts) -> Json:
    if recorded is None:
        given = texts.read(function.get("arguments"))
        return {"tool": texts.cut(function["name"]), "arguments": given, "status": "not recorded"}
    shown: Json = {
        "tool": texts.cut(recorded["tool"]),
        "arguments": texts.said(recorded.get("arguments", {})),
        "status": recorded["status"],
        "result": texts.value(recorded.get("result")),
    }
    writes = [
        [place, "removed" if row is None else texts.value(row)]
        for place, row in islice(_places(recorded.get("writes") or {}), MAX_ITEMS)
    ]
    return shown | ({"writes": writes} if writes else {})


def _read(shown: Json, recorded: Any, content: Any, texts: _Texts) -> None:
    """Adds what the model read of a call, where that is not the result itself."""
    if recorded is None:
        shown["result"] = texts.read(content)
    elif content != canonical(recorded.get("result")):
        shown["read"] = texts.said(content)


def _places(writes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, change in writes.items():
        if isinstance(change, dict):
            for key, row in change.items():
                yield step(name, key), row
        else:
            yield name, change


# ---------------------------------------------------------------- state


def _changes(changes: Mapping[str, Any], texts: _Texts) -> Iterator[Json]:
    """What differs at the end, by row and scalar; a changed row by the parts that differ."""
    for name, change in changes.items():
        if _is_pair(change) and not all(map(_is_pair, change.values())):
            yield _changed(name, change, texts)
        elif isinstance(change, dict):
            for key, pair in change.items():
                if _is_pair(pair):
                    yield _changed(step(name, key), pair, texts)


def _is_pair(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"before", "after"}


def _changed(place: str, pair: Mapping[str, Any], texts: _Texts) -> Json:
    before, after = pair["before"], pair["after"]
    if before is None or after is None:
        parts = [["", *_sides(before, after, texts)]]
    else:
        found = islice(differences(before, after, ""), MAX_ITEMS)
        parts = [[texts.cut(path), *_sides(old, new, texts)] for path, old, new in found]
    what = "added" if before is None else "removed" if after is None else "changed"
    return {"place": texts.cut(place), "what": what, "parts": parts}


def _sides(before: Any, after: Any, texts: _Texts) -> list[str | None]:
    """The texts of both; None for what is not there."""
    return [
        None if side is ABSENT or side is None else texts.value(side) for side in (before, after)
    ]
