"""Trajectories that were collected for training a message at a time: `episodes.jsonl` as
`toolc sample` and `toolc eval` write it, of which no line is trusted.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from typing import Any, NamedTuple

from toolc.eval.store import EPISODES, RUN
from toolc.files import read_bytes, why
from toolc.output import artifacts_digest
from toolc.train.admitted import Admitted
from toolc.train.messages import cut
from toolc.train.rows import Row, Source
from toolc_runtime.values import canonical

_LIMIT = 16 << 20
"""Bytes of a `run.json`."""

Key = tuple[str, str, str]
"""What makes a row one and not another: its environment, its task, and what stood before."""


class CollectedError(Exception):
    """Trajectories that cannot be trained on; the message says why."""


class Collected(NamedTuple):
    """The rows of the trajectories that were taken; how many others are `elsewhere`, of tasks that
    are not trained on, and `unusable`: not scored, or no episodes."""

    rows: list[Row]
    taken: int
    elsewhere: int
    unusable: int


def collected(
    place: str,
    environments: Mapping[str, Admitted],
    sources: Mapping[str, Source],
    wanted: Container[tuple[str, str]],
) -> Collected:
    """The rows of a file of episodes, or of the one in a run's folder, that are of the wanted pairs
    of environment and task. Raises `CollectedError` where it cannot be read or is of another
    build."""
    path = file_of(place)
    _same_build(os.path.join(os.path.dirname(path), RUN), environments)
    try:
        with open(path, encoding="utf-8") as lines:
            return rows_of(lines, sources, wanted)
    except OSError as error:
        raise CollectedError(f"cannot read `{path}`: {why(error)}") from None
    except UnicodeDecodeError:
        raise CollectedError(f"cannot read `{path}`: it is not UTF-8") from None


def file_of(place: str) -> str:
    """The file of episodes: what is given, or the one in a run's folder."""
    return os.path.join(place, EPISODES) if os.path.isdir(place) else place


def rows_of(
    lines: Iterable[str], sources: Mapping[str, Source], wanted: Container[tuple[str, str]]
) -> Collected:
    """The rows of episodes. A message that stands after the same others in several is one row."""
    rows: dict[Key, Row] = {}
    taken = elsewhere = unusable = 0
    for line in lines:
        try:
            made = _cut(json.loads(line), sources, wanted)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            unusable += 1
            continue
        elsewhere += made is None
        taken += made is not None
        for row in made or ():
            rows.setdefault(_key(row), row)
    return Collected(list(rows.values()), taken, elsewhere, unusable)


def _cut(
    episode: Any, sources: Mapping[str, Source], wanted: Container[tuple[str, str]]
) -> list[Row] | None:
    """The rows of an episode; None where it is not of a wanted task. Raises what reading a line
    raises that is none, and ValueError where the episode is not scored."""
    key = (episode["environment"], episode["task"])
    if key not in wanted:
        return None
    if episode.get("not_scored"):
        raise ValueError(episode["not_scored"])
    seed = episode.get("seed")
    source = sources[key[0]]
    return list(
        cut(
            source,
            source.environment.tasks[key[1]],
            episode["messages"],
            str(episode.get("id", "")),
            seed if type(seed) is int else None,
        )
    )


def _key(row: Row) -> Key:
    return row["environment"], row["task"], canonical([row["prompt"], row["prefix"]])


def _same_build(path: str, environments: Mapping[str, Admitted]) -> None:
    """Raises `CollectedError` where the run that wrote episodes played other environments under
    the names of these. Episodes without a run are taken as they are."""
    try:
        known = json.loads(read_bytes(path, _LIMIT))["environments"]
        digests = {name: known[name]["digest"] for name in environments if name in known}
    except OSError:
        return
    except (ValueError, LookupError, TypeError, RecursionError):
        raise CollectedError(f"`{path}` is not a run's") from None
    for name, digest in digests.items():
        if digest != artifacts_digest(environments[name].folder):
            raise CollectedError(
                f"the trajectories in `{os.path.dirname(path)}` are of another build of `{name}`: "
                "sample again"
            )


# ---------------------------------------------------------------- what was collected


def summarise(lines: Iterable[str], sources: Mapping[str, Source]) -> dict[str, Any]:
    """What the trajectories of a run give: tasks, trajectories, items (messages of the model) of
    each, rewards, and how many tasks have trajectories with different rewards."""
    rewards: dict[tuple[str, str], list[float]] = defaultdict(list)
    items: list[int] = []
    distinct: set[Key] = set()
    not_scored = 0
    for line in lines:
        episode = json.loads(line)
        if episode["not_scored"] is not None:
            not_scored += 1
            continue
        task = (episode["environment"], episode["task"])
        rows = _cut(episode, sources, (task,)) or []
        rewards[task].append(episode["verdict"]["reward"])
        items.append(len(rows))
        distinct.update(map(_key, rows))
    found = [reward for group in rewards.values() for reward in group]
    return {
        "tasks": len(rewards),
        "trajectories": len(items),
        "not_scored": not_scored,
        "items": {
            "all": sum(items),
            "distinct": len(distinct),
            "mean": sum(items) / len(items) if items else None,
            "least": min(items, default=None),
            "most": max(items, default=None),
        },
        "reward": {
            "mean": sum(found) / len(found) if found else None,
            "whole": sum(each >= 1 for each in found),
            "none": sum(each <= 0 for each in found),
        },
        "tasks_with_different_rewards": sum(len(set(group)) > 1 for group in rewards.values()),
    }
