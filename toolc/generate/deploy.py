"""Stage 5: declared tools get bodies, and what the compiler or the audit refuses goes.

A task that is refuted is left out of its family, which then gives another; a scenario that is left
without tasks, or that the compiler refuses, is left out. Whatever goes is said with its reason.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.generate import trees
from toolc.generate.draft import Draft
from toolc.node import NOWHERE
from toolc.project import SUFFIX
from toolc.syntax import tree

if TYPE_CHECKING:
    from toolc.audit import TaskAudit
    from toolc.compiler import Compiled
    from toolc.diagnostics.diagnostic import Diagnostic

ROUNDS = 6
"""Most times that a draft is compiled; what is refuted in the last is left out for good."""


class Proved(NamedTuple):
    """A draft of which every task is proved sound, compiled; `compiled` is None where nothing is
    left of it. `dropped` are the tasks and scenarios that went, with the reason."""

    draft: Draft
    compiled: Compiled | None
    audits: tuple[TaskAudit, ...]
    dropped: tuple[tuple[str, str], ...]

    @property
    def kinds(self) -> dict[str, int]:
        """How many tasks there are of each kind."""
        artifacts = self.compiled.artifacts if self.compiled else None
        lines = artifacts.files["scenarios.jsonl"].decode().splitlines() if artifacts else []
        return dict(sorted(Counter(json.loads(line)["kind"] for line in lines).items()))


def prove(draft: Draft, path: str) -> Proved:
    """Compiles and audits the draft as the spec at a path, beside which its data files are, and
    leaves out what does not pass."""
    dropped: list[tuple[str, str]] = []
    known: dict[str, tuple[list[str], list[TaskAudit]]] = {}
    for number in range(ROUNDS):
        draft, compiled, refused = _clean(draft, path)
        dropped += refused
        if compiled is None:
            return Proved(draft, None, (), tuple(dropped))
        audits = _audited(compiled, known)
        failed = {
            audit.task: "; ".join(
                f"{gate}: {finding.reason}"
                for gate, finding in audit.findings.items()
                if finding.outcome != "proved"
            )
            for audit in audits
            if audit.outcome != "passed"
        }
        if not failed:
            return Proved(draft, compiled, tuple(audits), tuple(dropped))
        dropped += failed.items()
        draft = _excluding(draft, compiled, failed, audits, last=number >= ROUNDS - 3)
    return Proved(draft, None, (), (*dropped, (draft.name, "too much of it is refuted")))


def _compiled(draft: Draft, path: str) -> Compiled:
    """The draft, compiled as if its text stood at the path."""
    from toolc.compiler import Options, compile_unit
    from toolc.project import Loader

    loaded = Loader({path: draft.text()}).load(path)
    assert loaded.unit is not None, "drafts are made of trees, whose text parses"
    assert loaded.environment is not None
    name = loaded.environment.name
    compiled = compile_unit(loaded.unit, Options())
    return compiled._replace(environment=(name.text, name.span))


def _clean(draft: Draft, path: str) -> tuple[Draft, Compiled | None, Sequence[tuple[str, str]]]:
    """The draft without what the compiler has something to say of, compiled; None where nothing
    is left, or where an error is in what cannot go. Declarations that nothing needs any more go
    without a word."""
    dropped: list[tuple[str, str]] = []
    while draft.scenarios:
        compiled = _compiled(draft, path)
        if not compiled.diagnostics:
            return draft, compiled, dropped
        found: dict[int, Diagnostic] = {}
        for each in compiled.diagnostics:
            found.setdefault(_item_at(compiled.texts[path], each), each)
        items = list(enumerate(draft.items))
        scenarios = {at for at, item in items if isinstance(item, tree.Scenario)} & set(found)
        unused = {at for at, each in found.items() if each.code == _UNUSED}
        for at in sorted(scenarios):
            item = draft.items[at]
            assert isinstance(item, tree.Scenario)
            dropped.append((item.name.text, f"{found[at].code}: {found[at].message}"))
        gone = scenarios or unused
        if not gone:
            wrong = compiled.diagnostics[0]
            return draft, None, [*dropped, (draft.name, f"{wrong.code}: {wrong.message}")]
        draft = draft._replace(items=tuple(item for at, item in items if at not in gone))
    return draft, None, dropped


_UNUSED = "TC0228"


def _item_at(text: str, found: Diagnostic) -> int:
    """The place of the declaration that a finding is in, among those of a spec's text; -1 where it
    is in none, or in another file."""
    from toolc.syntax.parser import parse

    module = parse(text, found.path).module if found.path.endswith(SUFFIX) else None
    for at, item in enumerate(module.items if module else ()):
        if item.span.start <= found.span.start < item.span.end:
            return at
    return -1


def _audited(
    compiled: Compiled, known: dict[str, tuple[list[str], list[TaskAudit]]]
) -> list[TaskAudit]:
    """The audits of what was compiled, from a folder that is there for that long. `known` are
    those of scenarios by their lines: one whose tasks are the same needs none again, since a new
    task that reads like one of its own is refuted itself."""
    from toolc import __version__
    from toolc.audit import audit_task
    from toolc.audit.subject import Shared, Subject
    from toolc.output import write_build
    from toolc.project import LANGUAGE
    from toolc_runtime.environment import load

    assert compiled.artifacts is not None
    lines: dict[str, list[str]] = {}
    for line in compiled.artifacts.files["scenarios.jsonl"].decode().splitlines():
        lines.setdefault(json.loads(line)["scenario"], []).append(line)
    with tempfile.TemporaryDirectory(prefix="toolc-generate-") as folder:
        root = os.path.join(folder, "build")
        write_build(root, [compiled.artifacts], LANGUAGE, __version__)
        shared = Shared(load(os.path.join(root, compiled.artifacts.name)))
        tasks: dict[str, list[Any]] = {}
        for task in shared.environment.tasks.values():
            tasks.setdefault(task.scenario, []).append(task)
        for name, several in tasks.items():
            if name not in known or known[name][0] != lines[name]:
                audits = [audit_task(Subject(shared, task)) for task in several]
                known[name] = (lines[name], audits)
    return [audit for name in tasks for audit in known[name][1]]


def _without(draft: Draft, names: Iterable[str]) -> Draft:
    gone = set(names)
    items = tuple(
        item
        for item in draft.items
        if not (isinstance(item, tree.Scenario) and item.name.text in gone)
    )
    return draft._replace(items=items)


def _excluding(
    draft: Draft,
    compiled: Compiled,
    failed: Mapping[str, str],
    audits: Iterable[TaskAudit],
    *,
    last: bool,
) -> Draft:
    """The draft whose families leave out the tasks that failed. Families of which most fail go,
    and in the last rounds all that have failed."""
    counts = Counter(audit.task.split(":")[0] for audit in audits)
    lost = Counter(task.split(":")[0] for task in failed)
    gone = {name for name in lost if last or 2 * lost[name] > counts[name] > 1}
    draft = _without(draft, gone)
    items: list[tree.Item] = []
    for item in draft.items:
        if isinstance(item, tree.Scenario) and item.name.text in lost:
            keys = [
                task.partition(":")[2] for task in failed if task.split(":")[0] == item.name.text
            ]
            made = excluded(draft, item, keys)
            if made is None:
                continue
            item = made
        items.append(item)
    return draft._replace(items=tuple(items))


def excluded(draft: Draft, scenario: tree.Scenario, keys: list[str]) -> tree.Scenario | None:
    """The family without the members that have these keys; None where they can't be told."""
    family = scenario.family
    if family is None or len(family.targets) != 1:
        return None
    place = _key_of(draft, family)
    if place is None:
        return None
    condition: Any = tree.Compare(
        NOWHERE, (place, trees.items(*map(trees.value, keys))), ("not in",)
    )
    if family.condition is not None:
        condition = trees.binary(family.condition, "and", condition)
    made: tree.Scenario = scenario.replace(family=family.replace(condition=condition))
    return made


def _key_of(draft: Draft, family: tree.Family) -> tree.Expr | None:
    """The text of a member's key, as an expression; None where the key is of several parts."""
    binder = trees.ref(family.targets[0].text)
    if not isinstance(family.source, tree.Ref):
        return binder
    for item in draft.items:
        if (
            isinstance(item, tree.Table)
            and item.name.text == family.source.name
            and len(item.keys) == 1
            and item.keys[0].type is None
        ):
            return trees.call("str", trees.attribute(binder, item.keys[0].name.text))
    return None
