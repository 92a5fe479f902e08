"""What differs between two builds, by what it means: tools, data, tasks, verifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from toolc.reporting.build import Texts, UnreadableBuild
from toolc.reporting.code import NO_CODE, Code, Unreadable, changed, read_code, rest_on
from toolc.reporting.paths import Difference, differences, step

MAX_DIFFERENCES = 1000
"""Differences that are kept of one tool, task, row or file."""

Aspects = dict[str, list[Difference]]
"""By what they are differences of. An aspect without any says that code differs."""


class Part(NamedTuple):
    """What differs among things that have names."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, Aspects] = {}

    @property
    def same(self) -> bool:
        return not (self.added or self.removed or self.changed)

    def to_json(self) -> dict[str, Any]:
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": {
                name: {
                    aspect: [each.to_json() for each in found] for aspect, found in aspects.items()
                }
                for name, aspects in self.changed.items()
            },
        }


class EnvironmentDiff(NamedTuple):
    """What differs of one environment. `code` names the definitions that differ, by file."""

    facts: tuple[Difference, ...]
    tools: Part
    tasks: Part
    data: Part
    files: Part
    code: Mapping[str, tuple[str, ...]]

    @property
    def same(self) -> bool:
        return not (self.facts or self.code) and all(
            part.same for part in (self.tools, self.tasks, self.data, self.files)
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "facts": [each.to_json() for each in self.facts],
            "tools": self.tools.to_json(),
            "tasks": self.tasks.to_json(),
            "data": self.data.to_json(),
            "files": self.files.to_json(),
            "code": {file: list(names) for file, names in self.code.items()},
        }


class BuildDiff(NamedTuple):
    """What differs between two builds; `changed` holds only environments that differ."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, EnvironmentDiff]
    same: int

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.changed)

    def to_json(self) -> dict[str, Any]:
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": {name: each.to_json() for name, each in self.changed.items()},
            "same": self.same,
        }


def diff(before: Mapping[str, Texts], after: Mapping[str, Texts]) -> BuildDiff:
    """Compares two builds. Raises `UnreadableBuild`."""
    both = [name for name in before if name in after]
    found = {name: diff_environment(before[name], after[name]) for name in both}
    differing = {name: each for name, each in found.items() if not each.same}
    return BuildDiff(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=differing,
        same=len(both) - len(differing),
    )


def diff_environment(before: Texts, after: Texts) -> EnvironmentDiff:
    """Compares one environment of two builds. Raises `UnreadableBuild`."""
    files = sorted(before.hashes.keys() | after.hashes.keys())
    code = {
        file: (_code(before, file), _code(after, file)) for file in files if file.endswith(".py")
    }
    differing = {file: changed(*pair) for file, pair in code.items()}
    return EnvironmentDiff(
        facts=tuple(differences(dict(before.facts), dict(after.facts))),
        tools=_tools(before, after, _resting("tools.py", "TOOLS", code, differing)),
        tasks=_tasks(before, after, _resting("verifiers.py", "VERIFIERS", code, differing)),
        data=_part(_places(before), _places(after), _value),
        files=_files(before, after, files),
        code={file: tuple(sorted(names)) for file, names in differing.items() if names},
    )


def _all(before: Any, after: Any) -> list[Difference]:
    return list(islice(differences(before, after), MAX_DIFFERENCES))


def _value(_: str, before: Any, after: Any) -> Aspects:
    return _values("value", before, after)


def _values(aspect: str, before: Any, after: Any) -> Aspects:
    """The differences of two values under one aspect."""
    found = _all(before, after)
    return {aspect: found} if found else {}


def _part(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    aspects: Callable[[str, Any, Any], Aspects],
) -> Part:
    both = {name: aspects(name, before[name], after[name]) for name in before if name in after}
    return Part(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed={name: found for name, found in both.items() if found},
    )


# ---------------------------------------------------------------- code


def _code(texts: Texts, file: str) -> Code:
    if file not in texts.hashes:
        return NO_CODE
    try:
        return read_code(texts.text(file))
    except Unreadable as error:
        raise UnreadableBuild(f"`{texts.folder}/{file}`: {error}") from None


def _resting(
    file: str,
    table: str,
    code: Mapping[str, tuple[Code, Code]],
    differing: Mapping[str, set[str]],
) -> set[str]:
    """The keys of a file's table whose code differs."""
    return rest_on(differing[file] - {table}, *code[file], table) if file in code else set()


# ---------------------------------------------------------------- tools, data, files


def _tools(before: Texts, after: Texts, code: set[str]) -> Part:
    def aspects(name: str, old: Any, new: Any) -> Aspects:
        return _values("schema", old, new) | ({"code": []} if name in code else {})

    return _part(_schemas(before), _schemas(after), aspects)


def _schemas(texts: Texts) -> dict[str, Any]:
    found = texts.json("schemas.json") or []
    try:
        return {str(each["function"]["name"]): each["function"] for each in found}
    except (KeyError, TypeError):
        raise UnreadableBuild(f"`{texts.folder}/schemas.json` is no list of functions") from None


def _places(texts: Texts) -> dict[str, Any]:
    """The rows and scalars of the data by place, such as `orders["W1"]`."""
    found = texts.json("data.json") or {"tables": {}, "state": {}}
    try:
        rows = {
            step(table, key): row
            for table, each in found["tables"].items()
            for key, row in each["rows"].items()
        }
        return rows | dict(found["state"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UnreadableBuild(f"`{texts.folder}/data.json` is not of the expected form") from None


_SHOWN_OTHERWISE = frozenset(("schemas.json", "data.json"))


def _files(before: Texts, after: Texts, files: Iterable[str]) -> Part:
    """The other files of JSON; a file of code that one side alone has."""
    old, new = (
        {
            file: texts.json(file) if file.endswith(".json") else None
            for file in files
            if file in texts.hashes and file not in _SHOWN_OTHERWISE
        }
        for texts in (before, after)
    )
    return _part(old, new, _value)


# ---------------------------------------------------------------- tasks

ASPECTS = {
    "system": "prompt",
    "user": "prompt",
    "tools": "tools",
    "steps": "plan",
    "answer": "answer",
    "answer_type": "answer",
    "answer_candidates": "answer",
    "answer_rests_on": "answer",
    "state": "state",
    "open": "state",
    "given": "given",
    "advance": "given",
    "clock": "given",
    "kind": "difficulty",
    "difficulty": "difficulty",
    "seed": "seed",
    "fixed_seed": "seed",
    "fresh": "seed",
    "limits": "limits",
    "reward": "reward",
    "bindings": "bindings",
    "turns": "turns",
}
"""What the fields of a task, and of its turns, are about."""

_FIELD = re.compile(r"\$(?:\.turns\[[0-9]+\])?\.([a-z_]+)")


def _tasks(before: Texts, after: Texts, scenarios: set[str]) -> Part:
    """Tasks by id; `scenarios` are those whose verifiers differ."""

    def aspects(_: str, old: Any, new: Any) -> Aspects:
        found: Aspects = {}
        for each in _all(old, new):
            field = _FIELD.match(each.path)
            found.setdefault(ASPECTS.get(field[1], "other") if field else "other", []).append(each)
        return found | ({"verifier": []} if new.get("scenario") in scenarios else {})

    return _part(before.tasks(), after.tasks(), aspects)
