"""Changes of a draft's tools: every plan follows, or the change is left out."""

from __future__ import annotations

from toolc.generate.draft import Adapter, Change, Draft, changed
from toolc.importing.spec import plain
from toolc.syntax.parser import parse

TEXT = """toolc 1
environment towns "Towns."

tool people_in "Inhabitants." (town: str) -> int
tool look_up "All of a town." (town: str, of: str) -> {people: int, mayor: str}

scenario people "How many" {
  user "How many people live in Aston?"
  tools [people_in]
  plan { step "How many?" let people = people_in(town: "Aston")%s }
  answer people
}
"""


def draft(stated: str) -> Draft:
    module = parse(TEXT % stated, "towns.toolc").module
    assert module is not None
    return Draft(module.items, {"people_in": {}, "look_up": {}})


def merged(before: Draft) -> Draft:
    adapter = Adapter((("of", plain("town")),), ("people",))
    gone = Draft(
        tuple(item for item in before.items if item is not before.tools["look_up"]), before.meanings
    )
    return changed(gone, [Change(before.tools["look_up"], {}, {"people_in": adapter})])


def test_plans_and_offers_follow() -> None:
    made = merged(draft(""))
    assert list(made.tools) == ["look_up"]
    assert 'let people = look_up(of: "town", town: "Aston")' in made.text()
    assert "tools [look_up]" in made.text()
    assert "answer people.people" in made.text()


def test_a_tool_whose_result_a_plan_states_keeps_its_form() -> None:
    before = draft(" == 12")
    made = merged(before)
    assert list(made.tools) == ["people_in"]
    assert 'let people = people_in(town: "Aston") == 12' in made.text()
    assert "answer people\n" in made.text()
