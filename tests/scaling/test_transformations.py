"""Transformations: each applies somewhere, keeps every plan, and leaves what the audit passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.scaling.programs import hand_written, harbour
from toolc.audit import TaskAudit, audit_task
from toolc.audit.subject import Subject
from toolc.compiler import Compiled, compile_specs
from toolc.generate import trees
from toolc.rewriting.calls import with_returns
from toolc.rewriting.spec import Spec, formatted, load
from toolc.rewriting.trial import Tried, changed, checked, trial, try_specs
from toolc.scaling.parameters import put
from toolc.scaling.prove import REPLACING, scale_all, scale_proved
from toolc.scaling.scale import LEVELS, TRANSFORMATIONS, Scaled, Settings, share, unknown
from toolc.scaling.transformation import Transformation, body_of, require
from toolc.syntax import tree

NEED_PROOF = frozenset((*REPLACING, "nest_results", "page_results"))
"""Transformations of which the audit takes some back: what they make may tell an answer early, or
leave a step without a purpose."""


@pytest.fixture(scope="module")
def before() -> dict[str, Tried]:
    return try_specs(harbour(), audit=False)


def wrong(made: dict[str, Scaled], before: dict[str, Tried]) -> list[tuple[str, str]]:
    """What is wrong with scaled specs: tasks and reasons."""
    tried = try_specs([each.spec for each in made.values()])
    known = {(each.task, each.reason) for one in before.values() for each in one.problems}
    every = [problem for each in tried.values() for problem in each.problems]
    found = [each for each in every if (each.task, each.reason) not in known]
    for path, each in tried.items():
        replaced = {e.subject for e in made[path].done if e.transformation in REPLACING}
        found += changed(path, before[path].tasks, each.tasks, replaced)
    return [(problem.task, problem.reason) for problem in found]


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_each_applies_and_the_audit_passes(name: str, before: dict[str, Tried]) -> None:
    made = scale_all(harbour(), Settings(LEVELS, only=(name,)))
    assert any(each.done for each in made.values())
    assert wrong(made, before) == []


@pytest.mark.parametrize("level", range(1, LEVELS + 1))
def test_all_together_at_each_level(level: int, before: dict[str, Tried]) -> None:
    made = scale_all(harbour(), Settings(level, 3))
    assert any(each.done for each in made.values())
    assert wrong(made, before) == []


def test_hand_written_specs_at_the_highest_level(root: Path) -> None:
    specs = hand_written(root / "specs" / "geography", 4)
    specs += hand_written(root / "specs" / "suites" / "ticket", 4)
    left_out = {*NEED_PROOF, "distant_distractors"}
    names = tuple(name for name in TRANSFORMATIONS if name not in left_out)
    made = scale_all(specs, Settings(LEVELS, only=names))
    assert sum(len(each.done) for each in made.values()) > 10 * len(specs)
    assert wrong(made, try_specs(specs, audit=False)) == []


@pytest.mark.parametrize("level", [2, LEVELS])
def test_types_of_hand_written_specs_hold(level: int, root: Path) -> None:
    specs = hand_written(root / "specs" / "suites")
    made = scale_all(specs, Settings(level, 11))
    assert list(checked(each.spec for each in made.values())) == []


def spoil(spec: Spec, name: str, random: Random) -> Spec:
    """Another result: what no transformation may give."""
    require(name == "mean_crew", "another tool")
    tool = spec.tools[name]

    def give(value: tree.Expr) -> tuple[tree.Statement, ...]:
        return (trees.give(trees.binary(value, "+", trees.value(1))),)

    return put(spec, tool.replace(body=with_returns(body_of(tool), give)))


def test_what_does_not_pass_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    spoiling = Transformation("spoil", "tool", 1, "gives other results", spoil)
    reword = TRANSFORMATIONS["reword_tools"]
    monkeypatch.setattr("toolc.scaling.scale._ALL", (spoiling, reword))
    outcome = scale_proved(harbour(), Settings(LEVELS, only=("spoil", "reword_tools")), audit=False)
    assert outcome.problems == ()
    path = harbour()[0].path
    taken = {(edit.transformation, edit.subject) for edit in outcome.taken_back[path]}
    assert ("spoil", "mean_crew") in taken
    assert all(
        edit.reason.startswith(("average:", "the tools:")) for edit in outcome.taken_back[path]
    )
    left = {(edit.transformation, edit.subject) for edit in outcome.scaled[path].done}
    assert ("reword_tools", "get_berth") in left - taken
    assert ("spoil", "mean_crew") not in left


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many specs were compiled, each time."""
    counts: list[int] = []

    def counting(paths: Sequence[str], *more: Any) -> Iterator[Compiled]:
        counts.append(len(paths))
        return compile_specs(paths, *more)

    monkeypatch.setattr("toolc.rewriting.trial.compile_specs", counting)
    return counts


def test_what_is_as_it_was_is_not_compiled_again(compiled: list[int]) -> None:
    specs = harbour()
    made = scale_all(specs, Settings(LEVELS, only=("reword_tools",)))
    with trial() as tried:
        first = tried(specs)
        assert tried(specs) == first
        one = tried([specs[0], made[specs[1].path].spec])
    assert compiled == [2, 0, 1]
    assert one[specs[0].path] == first[specs[0].path]
    assert one[specs[1].path].schemas != first[specs[1].path].schemas


def test_one_that_draws_from_what_changed_is_compiled_again(compiled: list[int]) -> None:
    specs = harbour()
    drawing = scale_all(specs, Settings(LEVELS, only=("distant_distractors",)))
    reworded = scale_all(specs, Settings(LEVELS, only=("reword_tools",)))
    path, other = specs[0].path, specs[1].path
    with trial(audit=False) as tried:
        tried([drawing[path].spec, specs[1]])
        then = tried([drawing[path].spec, reworded[other].spec])
    assert compiled == [2, 2]
    assert then[path].problems == ()


def test_what_is_as_it_was_is_not_audited_again(monkeypatch: pytest.MonkeyPatch) -> None:
    audited: list[str] = []

    def counting(subject: Subject) -> TaskAudit:
        audited.append(subject.task.id)
        return audit_task(subject)

    monkeypatch.setattr("toolc.audit.report.audit_task", counting)
    (spec,) = harbour()[:1]
    longer = scale_all([spec], Settings(LEVELS, only=("one_hop_before",)))[spec.path].spec
    fewer = longer.replaced(
        lambda item: (
            spec.scenarios["crew_of"]
            if isinstance(item, tree.Scenario) and item.name.text == "crew_of"
            else item
        )
    )
    with trial() as tried:
        tried([spec])
        first = len(audited)
        tried([longer])
        again = len(audited)
        made = tried([fewer])[spec.path]
    assert again == first + len(made.tasks)
    assert {name.split(":")[0] for name in audited[again:]} == {"crew_of"}
    assert made == try_specs([fewer])[spec.path]


def test_a_quantity_has_the_bounds_that_the_number_had() -> None:
    spec = harbour()[0]
    made = scale_all([spec], Settings(LEVELS, only=("quantities",)))[spec.path].spec
    booked = 'book_pilot(ship_id: "S02", day: "2025-05-10", time_span: %s)'
    cases = {
        '{value: 4, unit: "hours"}': '.ship == "S02"',
        '{value: 5, unit: "hours"}': ' fails with "time_span must be at most 240 minutes"',
        "{value: 14}": ' fails with "time_span must be at least 15 minutes"',
    }
    lines = [f"  expect {booked % value}{expected}" for value, expected in cases.items()]
    test = 'test "bounds" {\n' + "\n".join(lines) + "\n}\n"
    (tried,) = try_specs([load(spec.path, {spec.path: made.text() + test})], audit=False).values()
    assert tried.problems == ()


def test_seeds_decide_and_nothing_else_does() -> None:
    one, same, other = (scale_all(harbour(), Settings(2, seed)) for seed in (1, 1, 2))
    texts = [[each.spec.text() for each in made.values()] for made in (one, same, other)]
    assert texts[0] == texts[1] != texts[2]


def test_levels_take_more_and_more() -> None:
    counts = [
        sum(len(each.done) for each in scale_all(harbour(), Settings(level)).values())
        for level in range(1, LEVELS + 1)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    for transformation in TRANSFORMATIONS.values():
        shares = [share(transformation, level) for level in range(1, LEVELS + 1)]
        assert shares == sorted(shares)
        assert shares[-1] == 1
    assert unknown(["nest_results", "nothing"]) == ["nothing"]


def test_what_is_left_out_changes_nothing_else() -> None:
    whole = scale_all(harbour(), Settings(3))
    path, scaled = next(iter(whole.items()))
    dropped = scaled.done[0]
    pair = dropped.transformation, dropped.subject
    without = scale_all(harbour(), Settings(3), {path: frozenset([pair])})[path]
    names = [(each.transformation, each.subject) for each in scaled.done]
    assert pair not in [(each.transformation, each.subject) for each in without.done]
    assert [each for each in names if each != pair][:5] == [
        (each.transformation, each.subject) for each in without.done
    ][:5]


def test_what_does_not_change_keeps_its_text_and_comments() -> None:
    spec = harbour()[0]
    made = scale_all([spec], Settings(LEVELS, only=("lift_constants",)))[spec.path].spec
    text = made.text()
    assert text == formatted(text, spec.path)
    assert "# Kept where it stands." in text
    assert text.startswith("toolc 1\n# A small environment")
    unchanged = [item for item in made.items if item in spec.module.items]
    assert all(
        not isinstance(item, tree.Tool) or item.name.text != "mean_crew" for item in unchanged
    )
    for item in unchanged:
        assert spec.texts[spec.path][item.span.start : item.span.end] in text


def test_reasons_are_told() -> None:
    spec = harbour()[1]
    made = scale_all([spec], Settings(LEVELS))[spec.path]
    reasons = {(each.transformation, each.subject): each.reason for each in made.edits}
    assert reasons["coordinates", "weigh_crate"] == "it takes no latitude with a longitude"
    assert reasons["distant_distractors", "weight_of"].startswith("no other environment")
