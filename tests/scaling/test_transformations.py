"""Transformations: each applies somewhere, keeps every plan, and leaves what the audit passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scaling.programs import hand_written, harbour
from toolc.rewriting.spec import formatted
from toolc.rewriting.trial import Tried, changed, checked, try_specs
from toolc.scaling.prove import REPLACING, scale_all
from toolc.scaling.scale import LEVELS, TRANSFORMATIONS, Scaled, Settings, share, unknown
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
    found = [problem for each in tried.values() for problem in each.problems]
    for path, each in tried.items():
        replaced = {e.subject for e in made[path].done if e.transformation in REPLACING}
        found += changed(path, before[path].tasks, each.tasks, replaced)
    return [(problem.task, problem.reason) for problem in found]


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_each_applies_and_the_audit_passes(name: str, before: dict[str, Tried]) -> None:
    made = scale_all(harbour(), Settings(LEVELS, only=(name,)))
    assert any(each.done for each in made.values())
    lucky = {"keeper_of:1", "keeper_of:2", "keeper_of:3", "keeper_of:4"}
    found = wrong(made, before)
    assert [each for each in found if name != "ask_of_two" or each[0] not in lucky] == []


@pytest.mark.parametrize("level", range(1, LEVELS + 1))
def test_all_together_at_each_level(level: int, before: dict[str, Tried]) -> None:
    names = tuple(name for name in TRANSFORMATIONS if name != "ask_of_two")
    made = scale_all(harbour(), Settings(level, 3, names))
    assert any(each.done for each in made.values())
    assert wrong(made, before) == []


@pytest.mark.parametrize("part", range(4))
def test_hand_written_specs_at_the_highest_level(part: int, root: Path) -> None:
    specs = hand_written(root / "specs", 6)[part::4]
    left_out = {*NEED_PROOF, "distant_distractors"}
    names = tuple(name for name in TRANSFORMATIONS if name not in left_out)
    made = scale_all(specs, Settings(LEVELS, only=names))
    assert sum(len(each.done) for each in made.values()) > 10 * len(specs)
    assert wrong(made, try_specs(specs, audit=False)) == []


@pytest.mark.parametrize("level", range(1, LEVELS + 1))
def test_types_of_hand_written_specs_hold_at_each_level(level: int, root: Path) -> None:
    specs = hand_written(root / "specs" / "suites")
    made = scale_all(specs, Settings(level, 11))
    assert list(checked(each.spec for each in made.values())) == []


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
