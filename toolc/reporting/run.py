"""Reading the folder of an evaluation: its head, and of each episode what lists and figures need.

The bodies of episodes stay in the file until they are asked for, so that a run may be larger than
memory. Nothing in a run is trusted: models wrote most of it, and the folder may come from anyone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, BinaryIO, NamedTuple

from toolc.files import inside, read_bytes, why
from toolc_runtime.schema import Problems, compile_schema, summary
from toolc_runtime.values import quote

MAX_HEAD = 64 * 2**20
"""Bytes of the largest `run.json` that is read."""
MAX_LINE = 64 * 2**20
"""Bytes of the longest line of `episodes.jsonl`."""
MAX_EPISODES = 2_000_000
MAX_DEPTH = 100
"""How deep the values of a run may be nested."""
MOST = 1e12
"""The largest figure."""
EXCERPT = 200
"""Characters that are kept of a prompt and of a last text."""


class RunError(Exception):
    """A folder that holds no run that can be read; the message says why."""


class Head(NamedTuple):
    """`run.json`. `policy` is the policy's name, with its settings beside it; `digests` are those
    of the environments' artifacts, by environment."""

    policy: str
    settings: Mapping[str, Any]
    build: str
    samples: int
    seed: int
    toolc: str
    digests: Mapping[str, str]


class Episode(NamedTuple):
    """One line of `episodes.jsonl`, without its body, which is `size` bytes from `offset` on, of a
    `digest`.

    `values` are the figures by name, None where the episode is not scored, and `not_scored` then
    says why. `failing` are the names of checks below 1; `steps` those of the task's plan.
    """

    id: str
    environment: str
    task: str
    sample: int
    kind: str
    steps: int | None
    values: Mapping[str, float] | None
    not_scored: str | None
    failing: tuple[str, ...]
    tools: tuple[str, ...]
    prompt: str
    answer: str
    offset: int
    size: int
    digest: bytes

    @property
    def success(self) -> bool:
        return self.values is not None and self.values["success"] == 1


class Run(NamedTuple):
    """A run. `torn`: its last line was not whole, and is not among the episodes."""

    path: str
    head: Head
    episodes: tuple[Episode, ...]
    torn: bool

    def bodies(self, wanted: Iterable[Episode]) -> Iterator[dict[str, Any]]:
        """The whole records of episodes, read anew. Raises `RunError`."""
        with _opened(self.path) as file:
            for episode in wanted:
                file.seek(episode.offset)
                line = file.read(episode.size)
                if _digest(line) != episode.digest:
                    raise RunError(f"`{self.path}` has changed meanwhile")
                yield _parsed(line, self.path)  # it was as expected when it was read before


def read_run(path: str) -> Run:
    """The run of a folder. Raises `RunError`."""
    head = _head(path)
    episodes: dict[str, Episode] = {}
    offset, torn = 0, False
    with _opened(path) as file:
        while line := file.readline(MAX_LINE + 1):
            where = f"`{path}`: line {len(episodes) + 1} of {EPISODES}"
            if len(line) > MAX_LINE:
                raise RunError(f"{where} is longer than {MAX_LINE // 2**20} MiB")
            torn = not line.endswith(b"\n")
            if torn:
                break
            episode = _episode(_record(line, where), line, offset)
            if episode.id in episodes:
                raise RunError(f"{where} is a second episode {quote(episode.id)}")
            if len(episodes) == MAX_EPISODES:
                raise RunError(f"`{path}` holds more than {MAX_EPISODES:,} episodes")
            episodes[episode.id] = episode
            offset += len(line)
    return Run(path, head, tuple(episodes.values()), torn)


# ---------------------------------------------------------------- files

RUN, EPISODES = "run.json", "episodes.jsonl"


def _head(path: str) -> Head:
    place = os.path.join(path, RUN)
    try:
        if not inside(place, os.path.realpath(path)):
            raise RunError(f"`{place}` leads out of the run's folder")
        content = read_bytes(place, MAX_HEAD)
    except OSError as error:
        raise RunError(f"`{path}` holds no run: cannot read `{RUN}`: {why(error)}") from None
    found = _checked(_HEAD, _value(content, f"`{place}`"), f"`{place}`")
    if found["format"] != 1:
        raise RunError(f"`{place}` is of format {found['format']}, not of 1")
    policy = found["policy"]
    return Head(
        policy=policy["name"],
        settings={name: value for name, value in policy.items() if name != "name"},
        build=found["build"],
        samples=found["samples"],
        seed=found["seed"],
        toolc=found["toolc"],
        digests={name: each["digest"] for name, each in found["environments"].items()},
    )


def _opened(path: str) -> BinaryIO:
    place = os.path.join(path, EPISODES)
    try:
        if not inside(place, os.path.realpath(path)):
            raise RunError(f"`{place}` leads out of the run's folder")
        if os.path.exists(place) and not os.path.isfile(place):
            raise RunError(f"cannot read `{place}`: it is not a plain file")
        return open(place, "rb")
    except OSError as error:
        raise RunError(f"cannot read `{place}`: {why(error)}") from None


# ---------------------------------------------------------------- values


_DECODER = json.JSONDecoder(parse_constant=str)
"""What a model wrote may hold NaN."""


def _parsed(content: bytes, where: str) -> Any:
    try:
        return _DECODER.decode(content.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        raise RunError(f"{where} is not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except ValueError:
        raise RunError(f"{where} holds a number of too many digits") from None
    except RecursionError:
        raise RunError(f"{where} is nested too deep") from None


def _value(content: bytes, where: str) -> Any:
    value = _parsed(content, where)
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for holder in level for item in _items(holder)]
        if not level:
            return value
    raise RunError(f"{where} is nested too deep")


def _items(value: Any) -> Iterable[Any]:
    if type(value) is dict:
        return value.values()
    return value if type(value) is list else ()


def _record(line: bytes, where: str) -> dict[str, Any]:
    record: dict[str, Any] = _checked(_EPISODE, _value(line, where), where)
    return record


def _checked(check: Any, value: Any, where: str) -> Any:
    problems: Problems = []
    value = check(value, (), problems)
    if problems:
        raise RunError(f"{where} is not as expected: {summary(problems, 'the whole')}")
    return value


def _object(required: Mapping[str, Any], **further: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **further},
        "required": list(required),
    }


def _list(items: Any) -> dict[str, Any]:
    return {"type": ["array", "null"], "items": items}


_TEXT = {"type": "string"}
_COUNT = {"type": "integer"}
_AMOUNT = {"type": "number", "minimum": 0, "maximum": MOST}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAP = {"type": ["object", "null"], "additionalProperties": True}

_CHECK = _object({"name": _TEXT, "value": _AMOUNT}, kind=_TEXT, weight=_AMOUNT, reason=_MAYBE_TEXT)
_FUNCTION = _object({"name": _TEXT}, arguments=True)

_HEAD = compile_schema(
    _object(
        {
            "format": _COUNT,
            "toolc": _TEXT,
            "build": _TEXT,
            "policy": _object({"name": _TEXT}),
            "samples": _COUNT,
            "seed": _COUNT,
            "environments": {
                "type": "object",
                "additionalProperties": _object({"digest": _TEXT}, tasks=_COUNT),
            },
        }
    )
)

_FIGURES = {
    "type": ["object", "null"],
    "properties": {"success": {"type": "boolean"}, "solve_f1": _AMOUNT, "calls": _AMOUNT},
    "required": ["success", "solve_f1", "calls"],
}
_VERDICT = {
    "type": ["object", "null"],
    "properties": {
        "reward": _AMOUNT,
        "checks": {"type": "array", "items": _CHECK},
    },
    "required": ["reward", "checks"],
}

_EPISODE = compile_schema(
    _object(
        {
            "id": _TEXT,
            "environment": _TEXT,
            "task": _TEXT,
            "sample": _COUNT,
            "kind": _TEXT,
            "messages": {
                "type": "array",
                "items": _object(
                    {"role": _TEXT}, tool_calls=_list(_object({"function": _FUNCTION}))
                ),
            },
            "calls": {
                "type": "array",
                "items": _object({"tool": _TEXT, "status": _TEXT}, writes=_MAP),
            },
            "verdict": _VERDICT,
            "figures": _FIGURES,
        },
        difficulty={"type": ["object", "null"], "properties": {"steps": _COUNT}},
        changes=_MAP,
        ftrl=_MAP,
        not_scored=_MAYBE_TEXT,
    )
)


def _episode(record: Mapping[str, Any], line: bytes, offset: int) -> Episode:
    verdict, figures = record["verdict"], record["figures"]
    scored = verdict is not None and figures is not None
    checks = verdict["checks"] if scored else ()
    return Episode(
        id=record["id"],
        environment=record["environment"],
        task=record["task"],
        sample=record["sample"],
        kind=record["kind"],
        steps=(record.get("difficulty") or {}).get("steps"),
        values=_values(record) if scored else None,
        not_scored=None if scored else record.get("not_scored") or "not finished",
        failing=_distinct(each["name"] for each in checks if each["value"] < 1),
        tools=_distinct(each["tool"] for each in record["calls"]),
        prompt=_said(record["messages"], "user"),
        answer=_said(reversed(record["messages"]), "assistant"),
        offset=offset,
        size=len(line),
        digest=_digest(line),
    )


def _values(record: Mapping[str, Any]) -> dict[str, float]:
    return {
        **dict(_amounts(record["figures"], "")),
        **dict(_amounts(record.get("ftrl") or {}, "ftrl_")),
        "reward": record["verdict"]["reward"],
    }


def _amounts(found: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """The figures that are numbers, or yes and no."""
    for name, value in found.items():
        if isinstance(value, int | float) and 0 <= value <= MOST:
            yield f"{prefix}{name}", float(value)


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _said(messages: Iterable[Mapping[str, Any]], role: str) -> str:
    """The beginning of the first text of a role."""
    texts = (each.get("content") for each in messages if each["role"] == role)
    return next((text[:EXCERPT] for text in texts if isinstance(text, str) and text), "")
