"""Runs the stages over a folder, in which every intermediate result can be read and edited.

`DIR/1-decompose/ENV/` to `DIR/5-deploy/ENV/` hold a spec each, its data files, and `stage.json`:
what the tools mean to the source, and the digests of what the stage read and wrote. A stage whose
input has not changed is not run again; what a person has edited is kept, and what comes after it
is made anew. Every file is put in its place whole and `stage.json` last, so that a run that was
killed goes on where it stopped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.apart import Died, Limits, apart
from toolc.files import DataError, decode, read_bytes, why
from toolc.generate.deploy import Proved, prove
from toolc.generate.document import document
from toolc.generate.draft import Draft, Source, StageError
from toolc.generate.integrate import integrate
from toolc.generate.scale import Transformation, scale
from toolc.incremental import compiler_digest
from toolc.output import sha256, write_file
from toolc.project import Loader, check_unit
from toolc.syntax import tree
from toolc_runtime.values import canonical

if TYPE_CHECKING:
    from toolc.diagnostics.diagnostic import Diagnostic

STAGES = ("decompose", "document", "integrate", "scale", "deploy")
RECORD = "stage.json"
SPEC = ".toolc"
MAX_RECORD = 16 * 1024 * 1024
VERSION = 1
"""Of what stages write; another one makes every result anew."""

_DECLARED = "TC0661"
"""The one error that a draft may have: a plan calls a tool that has no body yet."""


class Settings(NamedTuple):
    """What the stages depend on besides their input."""

    seed: int
    transformations: tuple[str, ...]


class Outcome(NamedTuple):
    """What a stage came to for an environment: `how` is `made`, `unchanged`, `edited` (by a person:
    kept though its input has changed) or `failed`; `reason` says why, `proved` is what deploying
    gave."""

    environment: str
    stage: str
    how: str
    reason: str = ""
    proved: Proved | None = None


def folder_of(root: str, stage: str, environment: str) -> str:
    return os.path.join(root, f"{STAGES.index(stage) + 1}-{stage}", environment)


def spec_of(root: str, stage: str, environment: str) -> str:
    return os.path.join(folder_of(root, stage, environment), environment + SPEC)


def environments_in(root: str, stage: str) -> list[str]:
    """The environments of which a stage's results are there, in order of name."""
    folder = os.path.dirname(folder_of(root, stage, "_"))
    if not os.path.isdir(folder):
        return []
    found = [name for name in os.listdir(folder) if os.path.isfile(spec_of(root, stage, name))]
    return sorted(found)


# ---------------------------------------------------------------- folders


class Stored(NamedTuple):
    """A stage's result as it lies in its folder: the draft, and its data files by name."""

    draft: Draft
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        digests = {name: sha256(content) for name, content in sorted(self.files.items())}
        return sha256(canonical([self.draft.text(), dict(self.draft.meanings), digests]).encode())


def load(root: str, stage: str, environment: str) -> Stored:
    """Reads what a stage wrote, or a person made of it. Raises `StageError`."""
    path = spec_of(root, stage, environment)
    loaded = Loader().load(path)
    unit = loaded.unit
    found = (
        loaded.diagnostics if unit is None else (*loaded.diagnostics, *check_unit(unit).diagnostics)
    )
    wrong = [each for each in found if each.severity == "error" and each.code != _DECLARED]
    if unit is None or wrong:
        raise StageError(_told(path, wrong[0] if wrong else None, loaded.sources))
    record = _record(os.path.dirname(path))
    tools = record.get("tools")
    meanings = tools if isinstance(tools, dict) else {}
    items = unit.modules[path].items
    draft = Draft(items, {name: each for name, each in meanings.items() if isinstance(each, dict)})
    try:
        return Stored(draft, dict(_data(items, os.path.dirname(path))))
    except (OSError, DataError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error.values.get("reason"))
        raise StageError(f"`{path}`: a data file cannot be read: {reason}") from None


def _told(path: str, wrong: Diagnostic | None, sources: Mapping[str, Any]) -> str:
    if wrong is None:
        return f"`{path}` cannot be read"
    text = sources[wrong.path].text if wrong.path in sources else ""
    line = text.count("\n", 0, wrong.span.start) + 1
    return f"`{wrong.path}`, line {line}: {wrong.code}: {wrong.message}"


def _data(items: Iterable[tree.Item], folder: str) -> Iterable[tuple[str, bytes]]:
    from toolc.compiler import read_data

    for item in items:
        if isinstance(item, tree.Table) and isinstance(item.rows, tree.Call):
            argument = item.rows.arguments[0].value
            if isinstance(argument, tree.String):
                yield argument.value, read_data(folder, argument.value)


def _record(folder: str) -> dict[str, Any]:
    try:
        text = decode(RECORD, read_bytes(os.path.join(folder, RECORD), MAX_RECORD))
        value = json.loads(text)
    except (OSError, DataError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def save(
    root: str, stage: str, stored: Stored, environment: str, digest: str, facts: Mapping[str, Any]
) -> None:
    """Writes a stage's result; the record, which says that it is whole, comes last. Raises
    `StageError`."""
    folder = folder_of(root, stage, environment)
    spec = stored.draft.text().encode()
    files = {**stored.files, environment + SPEC: spec}
    record = {
        "stage": stage,
        "input": digest,
        **facts,
        "files": {name: sha256(content) for name, content in sorted(files.items())},
        "tools": stored.draft.meanings,
    }
    try:
        os.makedirs(folder, exist_ok=True)
        if os.path.lexists(os.path.join(folder, RECORD)):
            os.unlink(os.path.join(folder, RECORD))
        for name, content in files.items():
            place = os.path.join(folder, name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            write_file(place, content)
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        write_file(os.path.join(folder, RECORD), text.encode())
    except OSError as error:
        raise StageError(f"cannot write `{error.filename or folder}`: {why(error)}") from None


def _standing(root: str, stage: str, environment: str, digest: str) -> str:
    """Whether a stage's result stands: `unchanged` where it was made of the same, `edited` where a
    person has changed it since, "" where it is to be made."""
    folder = folder_of(root, stage, environment)
    record = _record(folder)
    files = record.get("files")
    if not isinstance(files, dict) or not files:
        return ""
    try:
        same = all(
            sha256(read_bytes(os.path.join(folder, name), MAX_FILE)) == content
            for name, content in files.items()
        )
    except OSError:
        return ""
    if record.get("input") == digest:
        return "unchanged"
    return "" if same else "edited"


_PROVING = Limits(seconds=900.0)
MAX_FILE = 256 * 1024 * 1024


# ---------------------------------------------------------------- stages


class Work(NamedTuple):
    """One environment's way through stages; `begun` is what the first one writes."""

    root: str
    environment: str
    stages: tuple[str, ...]
    settings: Settings
    source: Source
    transformations: Mapping[str, Transformation]
    begun: Stored | None = None
    force: bool = False
    in_thread: bool = False
    """Whether other environments are under way in this process, so that proving is done apart."""


def run(work: Work) -> list[Outcome]:
    """Runs the stages of an environment in order, until one fails."""
    outcomes: list[Outcome] = []
    for stage in work.stages:
        try:
            outcome = _run(work, stage)
        except StageError as error:
            outcome = Outcome(work.environment, stage, "failed", str(error))
        outcomes.append(outcome)
        if outcome.how == "failed":
            break
    return outcomes


def lost(work: Work, reason: str) -> list[Outcome]:
    """What an environment comes to whose worker did not; what stands in its folders stays."""
    return [Outcome(work.environment, work.stages[0], "failed", reason)]


def _run(work: Work, stage: str) -> Outcome:
    root, name = work.root, work.environment
    if stage == STAGES[0]:
        assert work.begun is not None
        before = work.begun
    else:
        before = load(root, STAGES[STAGES.index(stage) - 1], name)
    compiler = compiler_digest() if stage == STAGES[-1] else ""
    inputs = [VERSION, stage, list(work.settings), before.digest, compiler]
    digest = sha256(canonical(inputs).encode())
    standing = "" if work.force else _standing(root, stage, name, digest)
    if standing == "edited":
        place = folder_of(root, stage, name)
        reason = f"`{place}` was edited: it stays as it is; --force makes it anew"
        return Outcome(name, stage, standing, reason)
    if standing:
        return Outcome(name, stage, standing)
    if stage == STAGES[-1]:
        return _deployed(work, before, digest)
    draft = _CHANGES[stage](work, before.draft)
    save(root, stage, before._replace(draft=draft), name, digest, {})
    load(root, stage, name)
    return Outcome(name, stage, "made")


def _deployed(work: Work, before: Stored, digest: str) -> Outcome:
    """The last stage: bodies, then proofs; what cannot be proved goes."""
    root, name = work.root, work.environment
    stage = STAGES[-1]
    draft = work.source.deploy(before.draft)
    save(root, stage, before._replace(draft=draft), name, "", {})
    proved = _proved(work, draft)
    facts = {
        "tasks": len(proved.audits),
        "kinds": proved.kinds,
        "dropped": [{"name": each, "reason": reason} for each, reason in proved.dropped],
        "built": built(proved.compiled.entry) if proved.compiled else "",
    }
    save(root, stage, before._replace(draft=proved.draft), name, digest, facts)
    if proved.compiled is None:
        reasons = "; ".join(f"{each}: {reason}" for each, reason in proved.dropped[:3])
        raise StageError(f"no task of it is left ({reasons})")
    return Outcome(name, stage, "made", proved=proved)


def _proved(work: Work, draft: Draft) -> Proved:
    """What is proved of a draft. Raises `StageError`."""
    path = spec_of(work.root, STAGES[-1], work.environment)
    if not work.in_thread:
        return prove(draft, path)
    try:
        return apart(_prove, (draft, path), _PROVING)
    except Died as died:
        raise StageError(f"it could not be proved: {died}") from None


def _prove(given: tuple[Draft, str]) -> Proved:
    return prove(*given)


_CHANGES: Mapping[str, Callable[[Work, Draft], Draft]] = {
    "decompose": lambda work, draft: draft,
    "document": lambda work, draft: document(draft, work.source),
    "integrate": lambda work, draft: integrate(draft, work.source),
    "scale": lambda work, draft: scale(
        draft,
        work.source,
        work.transformations,
        work.settings.transformations,
        work.settings.seed,
    ),
}


def built(entry: Mapping[str, Any] | None) -> str:
    """The digest of what a build's manifest says of an environment."""
    return sha256(canonical(entry).encode())


def facts_of(root: str, environment: str) -> dict[str, Any]:
    """What the last stage recorded of an environment."""
    return _record(folder_of(root, STAGES[-1], environment))
