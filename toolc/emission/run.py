"""Specs from many descriptions: the folder of a run, and its way from lines to specs.

`attempts.jsonl` has all that was asked and answered, and is what a run goes on from; `run.json`
says what the run is of. The other files are made of these at the end: `specs/ID.toolc`, one for
each spec that was accepted and is no duplicate, with environments of different names, and
`summary.json`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolc.emission.attempts import Journal, JournalError
from toolc.emission.descriptions import Item
from toolc.emission.judge import Standard, judge
from toolc.emission.loop import PACKAGE, Loop, Settled, Task, system
from toolc.emission.prompts import prompt
from toolc.emission.summary import summarise
from toolc.files import why
from toolc.importing.names import MAX_NAME, unique
from toolc.models.client import Refused
from toolc.output import write_file
from toolc.project import SUFFIX, environment_of
from toolc.syntax.parser import parse
from toolc.workers import in_threads

if TYPE_CHECKING:
    from toolc.cluster import Cluster

RUN = "run.json"
ATTEMPTS = "attempts.jsonl"
SUMMARY = "summary.json"
SPECS = "specs"
FORMAT = 1


class FolderError(Exception):
    """The folder holds another run, or cannot be written."""


def task_of(item: Item, standard: Standard) -> Task:
    """What is asked for one description."""
    user = {"role": "user", "content": prompt(PACKAGE, "task", description=item.text)}
    return Task(item.id, (system(), user), lambda text: judge(text, standard), repr(standard))


def settled(
    items: Sequence[Item],
    loop: Loop,
    standard: Standard,
    jobs: int,
    cluster: Cluster | None = None,
) -> Iterator[Settled]:
    """Each item that can be used, as it comes to its end; `jobs` at a time, or those that a cluster
    takes. Raises `Refused` and `JournalError`."""
    tasks = [task_of(item, standard) for item in items if not item.reason]
    if cluster is None:
        yield from in_threads(loop.settle, tasks, jobs)
    else:
        yield from cluster.each(loop.settle, tasks, lost, (Refused, JournalError), ASKING)


ASKING = 0.25
"""What a task takes of a core that mostly waits for a model."""


def lost(task: Task, reason: str) -> Settled:
    """What an item comes to whose worker did not: the same run may still get it."""
    return Settled(task.item, (), None, reason, True)


# ---------------------------------------------------------------- folders


def begin(folder: str, settings: Mapping[str, Any], *, fresh: bool) -> Journal:
    """The journal of the folder's run, which is of these settings. Raises `FolderError` and
    `JournalError`."""
    place = os.path.join(folder, RUN)
    attempts = os.path.join(folder, ATTEMPTS)
    try:
        if fresh and os.path.lexists(attempts):
            os.unlink(attempts)
        if os.path.lexists(place) and os.path.lexists(attempts):
            _same(folder, place, settings)
        write_file(place, _text({"format": FORMAT, **settings}))
    except OSError as error:
        raise FolderError(f"cannot write `{error.filename or folder}`: {why(error)}") from None
    return Journal(attempts)


def _same(folder: str, place: str, settings: Mapping[str, Any]) -> None:
    try:
        with open(place, encoding="utf-8") as file:
            known = json.load(file)
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict):
        raise FolderError(f"`{place}` is damaged: --fresh begins again")
    for name, wanted in settings.items():
        if name != "access" and known.get(name) != json.loads(json.dumps(wanted)):
            raise FolderError(
                f"the run in `{folder}` has another `{name}`: --fresh begins again, -o takes "
                "another folder"
            )


def conclude(
    folder: str, items: Sequence[Item], found: Mapping[str, Settled], rounds: int
) -> dict[str, Any]:
    """Writes the specs and the summary, which it gives. Raises `FolderError`."""
    kept, duplicates = distinct([found[item.id] for item in items if item.id in found])
    unusable = {item.id: item.reason for item in items if item.reason}
    summary = summarise(list(found.values()), rounds, len(unusable), duplicates)
    left_out = {
        **unusable,
        **{id: each.reason for id, each in found.items() if each.spec is None},
        **{id: f"the same as {first}" for id, first in duplicates.items()},
    }
    order = [item.id for item in items if item.id in left_out]
    summary["left_out"] = {id: left_out[id] for id in order}
    try:
        specs = os.path.join(folder, SPECS)
        os.makedirs(specs, exist_ok=True)
        for item in items:
            place = os.path.join(specs, item.id + SUFFIX)
            if item.id in kept:
                _put(place, kept[item.id].encode())
            elif os.path.lexists(place):
                os.unlink(place)
        write_file(os.path.join(folder, SUMMARY), _text(summary))
    except OSError as error:
        raise FolderError(f"cannot write `{error.filename or folder}`: {why(error)}") from None
    return summary


def _put(place: str, content: bytes) -> None:
    """Writes a file that is not there as it should be, so that builds find it unchanged."""
    if os.path.isfile(place):
        with open(place, "rb") as file:
            if file.read(len(content) + 1) == content:
                return
    write_file(place, content)


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def distinct(settled: Sequence[Settled]) -> tuple[dict[str, str], dict[str, str]]:
    """The accepted specs by item, each once and each with an environment of a name of its own; and
    of the others, which they are the same as."""
    first: dict[str, str] = {}
    kept: dict[str, str] = {}
    duplicates: dict[str, str] = {}
    names: set[str] = set()
    for each in settled:
        if each.spec is None:
            continue
        hash = each.attempts[-1].hash
        if hash in first:
            duplicates[each.item] = first[hash]
        else:
            first[hash] = each.item
            kept[each.item] = _renamed(each.spec, names)
    return kept, duplicates


def _renamed(text: str, names: set[str]) -> str:
    """The spec with an environment of a name that no other has."""
    environment = environment_of(parse(text, "").module)
    if environment is None:
        return text
    span = environment.name.span
    name = unique(environment.name.text[: MAX_NAME - 6], names)
    names.add(name)
    return text[: span.start] + name + text[span.end :]
