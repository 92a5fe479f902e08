"""What a free argument determines is found, and left out of comparison."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.specs import compile_text, tasks_of
from toolc.scenarios.free import places, repeated
from toolc_runtime.verify.equality import OPEN, Renaming, same
from toolc_runtime.verify.plan import opened

SPEC = """toolc 1
environment desk "A desk." seed 2
record Ticket {
  ticket_id: str,
  text: str,
  words: int,
  tags: dict[str, int] = {},
  state: "open" | "closed" = "open",
}
table tickets[ticket_id]: Ticket = []
tool create "Create a ticket." (text: str) -> str {
  let id = fresh_id("T", 5)
  insert {ticket_id: id, text: text, words: len(split(text))} into tickets
  return id
}
tool tag "Tag a ticket." (ticket_id: str, name: str, weight: int(minimum: 1, maximum: 9)) -> null {
  require ticket_id in tickets else fail "unknown ticket"
  tickets[ticket_id].tags[name] = weight
}
tool close "Close a ticket." (ticket_id: str) -> Ticket {
  require ticket_id in tickets else fail "unknown ticket"
  tickets[ticket_id].state = "closed"
  return tickets[ticket_id]
}
tool words "How many words a text has." (text: str) -> int { return len(split(text)) }
scenario own_words "Text of one's own" {
  turn {
    user "Create a ticket."
    plan { step let id = create(text: "It is broken.") free [text] }
    verify { state }
  }
  turn { user "Close it." plan { step close(ticket_id: id) } }
}
scenario own_tag "A tag of one's own" {
  user "Create a ticket 'Broken' and tag it."
  plan {
    step let id = create(text: "Broken")
    step tag(ticket_id: id, name: "urgent", weight: 2) free [name]
  }
}
scenario counted "Nothing is written" {
  user "Count."
  plan { step words(text: "one two") free [text] }
}
scenario closed_range "No other value is taken" {
  user "Tag it."
  plan {
    step let id = create(text: "Broken")
    step tag(ticket_id: id, name: "urgent", weight: 2) free [weight]
  }
}
"""


@pytest.fixture(scope="module")
def tasks() -> dict[str, dict[str, Any]]:
    return tasks_of(compile_text(SPEC))


def test_what_is_written_and_what_follows_from_it(tasks: dict[str, dict[str, Any]]) -> None:
    task = tasks["own_words"]
    (id_,) = task["fresh"]
    first, second = task["turns"]
    assert first["steps"][0]["free"] == ["text"]
    row = ["writes", "tickets", id_, ""]
    assert first["steps"][0]["open"] == [[*row, "text"], [*row, "words"]]
    wanted = [["state", "tickets", id_, "text"], ["state", "tickets", id_, "words"]]
    assert first["open"] == task["open"] == wanted
    assert "open" not in second and "open" not in second["steps"][0]


def test_a_key_that_is_free_opens_the_dict(tasks: dict[str, dict[str, Any]]) -> None:
    task = tasks["own_tag"]
    (id_,) = task["fresh"]
    assert task["turns"][0]["steps"][1]["open"] == [["writes", "tickets", id_, "/tags"]]
    assert task["open"] == [["state", "tickets", id_, "tags"]]


def test_a_step_that_writes_nothing_must_give_its_result(tasks: dict[str, dict[str, Any]]) -> None:
    assert "open" not in tasks["counted"] | tasks["counted"]["turns"][0]["steps"][0]


def test_other_values_are_those_that_the_tool_takes(tasks: dict[str, dict[str, Any]]) -> None:
    task = tasks["closed_range"]
    (id_,) = task["fresh"]
    assert task["open"] == [["state", "tickets", id_, "tags", "urgent"]]


@pytest.mark.parametrize(
    ("expected", "found", "where"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [("b",)]),
        ([1, {"a": 2}], [1, {"a": 3}], [(1, "a")]),
        ([1], [1, 2], [()]),
        ({"a": 1}, {"a": 1, "b": 2}, [("b",)]),
        ({"t": {"r": {"x": 1}}}, {"t": {"r": {"y": 1}}}, [("t", "r")]),
    ],
)
def test_places(expected: Any, found: Any, where: list[Any]) -> None:
    assert list(places(expected, found)) == where


@pytest.mark.parametrize(
    ("expected", "found", "where"),
    [
        ({"/a": 1, "/b": 2}, {"/a": 1, "/b": 3}, ["/b"]),
        ({"#/a": [1, 2]}, {"#/a": [1, 5]}, ["#/a"]),
        ({"/a/x": 1}, {"/a/y": 1}, ["/a", "/a"]),
        ({"/a": 1}, {"/b": 1}, ["/a", "/b"]),
        ({"+/a": [1]}, {}, ["+/a"]),
    ],
)
def test_places_of_writes(expected: Any, found: Any, where: list[str]) -> None:
    writes = {"writes": {"t": {"r": expected}}}, {"writes": {"t": {"r": found}}}
    assert [path[-1] for path in places(*writes)] == where


def test_repeated() -> None:
    left, right = {"a": "Dear x", "n": 3, "x": "x"}, {"a": "Dear y", "n": 4, "x": "y"}
    assert list(repeated(left, right, "x", "y")) == [("a",), ("x",)]
    assert list(repeated([1, 2], [1, 5], 2, 5)) == [(1,)]


@pytest.mark.parametrize(
    ("expected", "found", "equal"),
    [
        (OPEN, None, True),
        ({"a": OPEN}, {"a": [1]}, True),
        ({"a": OPEN, "b": 1}, {"b": 1}, True),
        ({"a": OPEN, "b": 1}, {"a": 1, "b": 2}, False),
        ({"a": OPEN}, {"b": 1}, False),
        ([1, OPEN], [1, 2], True),
        ([1, OPEN], [1], False),
        ({"/a": OPEN}, {"+/a": [1]}, True),
        ({"/a": OPEN}, {"/a/x": 1, "#/a/y": [1, 2]}, True),
        ({"/a": OPEN}, {"/ab": 1}, False),
        ({"a": OPEN}, {"+a": 1}, False),
    ],
)
def test_open_places_are_equal_to_anything(expected: Any, found: Any, equal: bool) -> None:
    assert same(expected, found) is equal
    assert Renaming(["T1"], ["T2"]).unify(expected, found) is equal


def test_a_path_that_leads_nowhere_opens_nothing() -> None:
    line = {"state": {"a": [1]}, "open": [["state", "a", 5], ["state", "b", "c"], ["x", "y"]]}
    assert opened(line) == line
