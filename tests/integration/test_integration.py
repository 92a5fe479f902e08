"""Integration: the prepared set of overlapping tools, against the answer made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolc.integration.behaviour import Samples
from toolc.integration.integrate import Integrated, integrate
from toolc.integration.overlap import groups, known_tools
from toolc.integration.units import UNITS, converted, unit_of
from toolc.rewriting.spec import Spec, formatted, load
from toolc.rewriting.trial import running
from toolc.syntax import tree

FOLDER = Path(__file__).parent.parent / "generate" / "overlap"


@pytest.fixture(scope="module")
def spec() -> Spec:
    return load(str(FOLDER / "overlap.toolc"))


@pytest.fixture(scope="module")
def made(spec: Spec) -> Integrated:
    return integrate(spec)


def expected() -> dict[frozenset[str], set[str]]:
    document = json.loads((FOLDER / "expected.json").read_text())
    return {frozenset(each["members"]): set(each["by"]) for each in document["groups"]}


def test_the_set_is_whole(spec: Spec) -> None:
    document = json.loads((FOLDER / "expected.json").read_text())
    named = [name for each in document["groups"] for name in each["members"]]
    assert sorted([*named, *document["alone"]]) == sorted(spec.tools)
    assert len(spec.tools) == 60


def test_merges_are_those_of_the_hand_made_answer(made: Integrated) -> None:
    assert {frozenset(one.group.members): set(one.group.by) for one in made.merged} == expected()
    assert made.refused == ()


def test_no_answer_changes_and_every_test_passes(made: Integrated) -> None:
    assert made.problems == ()


def test_what_overlaps_is_one_tool_more_general(spec: Spec, made: Integrated) -> None:
    tools = made.spec.tools
    members = {name for one in made.merged for name in one.group.members}
    alone = json.loads((FOLDER / "expected.json").read_text())["alone"]
    assert set(tools) == {one.tool.name.text for one in made.merged} | set(alone)
    assert len(tools) == 60 - len(members) + len(made.merged)
    shapes = {
        name: [each.name.text for each in tools[name].parameters]
        for name in ("distance", "list_orders", "orders_over", "search_products_by", "get_city")
    }
    assert shapes == {
        "distance": ["origin", "destination", "unit"],
        "list_orders": ["status"],
        "orders_over": ["amount"],
        "search_products_by": ["text", "column"],
        "get_city": ["city"],
    }
    assert made.spec.text() == formatted(made.spec.text(), made.spec.path)


def test_plans_call_the_one_tool(made: Integrated) -> None:
    scenarios = made.spec.scenarios
    text = {name: repr(each) for name, each in scenarios.items()}
    assert "kilometres" not in text["far_apart"]
    assert "miles" in text["far_apart"]
    offered = [
        clause for clause in scenarios["two_units"].clauses if isinstance(clause, tree.Tools)
    ]
    assert [name.text for name in offered[0].names or ()] == ["distance", "road_distance_km"]


NEAR = """toolc 1

environment near "Tools that are nearly the same."

table rows[id]: {id: str, a: int, b: int} = [
  {id: "x", a: 1, b: 1},
  {id: "y", a: 2, b: 2},
  {id: "z", a: 3, b: 3},
  {id: "w", a: 4, b: 5},
]
"""

PAIRS = {
    "equal but for one row": (
        'tool row_a "Value of a row." (id: str) -> int {\n'
        '  return rows[id].a + 0 else fail "none"\n}\n'
        'tool row_b "Value of a row." (id: str) -> int {\n'
        '  return rows[id].b + 0 else fail "none"\n}\n',
        False,
    ),
    "the same in other words": (
        'tool row_a "Value of a row." (id: str) -> int {\n'
        '  return rows[id].a + 0 else fail "none"\n}\n'
        'tool value_of_row "Value of a row." (key: str) -> int {\n'
        '  require key in rows else fail "none"\n'
        "  return first(r.a for r in rows if r.id == key)\n}\n",
        True,
    ),
    "one refuses what the other takes": (
        'tool row_a "Value of a row." (id: str) -> int {\n'
        '  return rows[id].a + 0 else fail "none"\n}\n'
        'tool row_c "Value of a row." (id: str) -> int { return rows[id].a ?? 0 }\n',
        False,
    ),
    "a constant in arithmetic": (
        'tool plus_one "Value of a row plus one." (id: str) -> int {\n'
        '  return rows[id].a + 1 else fail "none"\n}\n'
        'tool plus_two "Value of a row plus two." (id: str) -> int {\n'
        '  return rows[id].a + 2 else fail "none"\n}\n',
        False,
    ),
    "minutes that are no hours": (
        'tool wait_minutes "Minutes to wait for a row." (id: str) -> float {\n'
        '  return 60.0 * rows[id].a else fail "none"\n}\n'
        'tool wait_hours "Hours to wait for a row." (id: str) -> float {\n'
        '  return 1.5 * rows[id].a else fail "none"\n}\n',
        False,
    ),
    "minutes and hours": (
        'tool wait_minutes "Minutes to wait for a row." (id: str) -> float {\n'
        '  return 60.0 * rows[id].a else fail "none"\n}\n'
        'tool wait_hours "Hours to wait for a row." (id: str) -> float {\n'
        '  return 1.0 * rows[id].a else fail "none"\n}\n',
        True,
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name: str, tmp_path: Path) -> None:
    text, one = PAIRS[name]
    path = tmp_path / "near.toolc"
    path.write_text(NEAR + "\n" + text)
    spec = load(str(path))
    with running(spec) as environment:
        found = groups(spec, known_tools(spec, Samples(spec, environment)))
    assert bool(found) is one


def test_units() -> None:
    assert converted(100, UNITS["celsius"], UNITS["fahrenheit"]) == pytest.approx(212)
    assert converted(1, UNITS["nautical"], UNITS["km"]) == pytest.approx(1.852)
    assert unit_of(("in", "nautical", "miles")) == UNITS["nautical_miles"]
    assert unit_of(("from", "km", "to", "miles"), ("hours",)) is None
    assert unit_of(("speed",), ("in", "hours")) == UNITS["hours"]
