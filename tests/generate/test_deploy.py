"""What the compiler or the audit refuses does not leave the last stage, and is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.generate.programs import bakery
from toolc.generate.deploy import Proved, prove
from toolc.generate.document import document
from toolc.generate.draft import Draft
from toolc.generate.tables.environments import Wishes, begin
from toolc.generate.tables.questions import KINDS
from toolc.generate.tables.reading import read_folder
from toolc.generate.tables.source import Tables
from toolc.syntax.parser import parse

WISHES = Wishes(tasks=8, kinds=dict.fromkeys(KINDS, 1.0))

SCENARIOS = {
    "told": (
        """scenario told for shop in shops if shop.seats != null sample 2 {
  user "The shop {shop.name} is in {shop.city}. Which city is that?"
  plan { step let city = get_shop_city(shop_id: shop.shop_id) }
  answer city
}""",
        ("told:", "informed: step 1"),
    ),
    "fails": (
        """scenario fails for shop in shops sample 2 {
  user "What is the city of the shop {shop.shop_id}?"
  plan { step let city = get_shop_city(shop_id: "none") }
  answer city
}""",
        ("fails", "TC06"),
    ),
    "idle": (
        """scenario idle {
  user "What is the city of the shop S01, which is called Birchley 1?"
  plan {
    step let shop = get_shop_city(shop_id: "S02")
    step let city = get_shop_city(shop_id: "S01")
  }
  answer city
}""",
        ("idle", "every_step_counts"),
    ),
}

TOOL = """tool get_shop_city "Look up the city of a shop." (shop_id: str) -> str {
  let row = shops[shop_id] else fail "unknown shop: {shop_id}"
  return row.city
}"""


def drafted(folder: Path) -> tuple[Draft, Path]:
    """A draft with bodies, and where its spec is to stand, beside its data."""
    beginning = begin(read_folder(str(bakery(folder / "tables"))), WISHES)
    (begun,) = beginning.environments
    (folder / "data").mkdir()
    for name, text in begun.files.items():
        (folder / name).write_text(text)
    draft = Tables().deploy(document(begun.draft, Tables()))
    return draft, folder / "sales.toolc"


def proved(folder: Path, *further: str) -> Proved:
    draft, path = drafted(folder)
    module = parse("toolc 1\n" + "\n".join(further), "further").module
    assert module is not None
    return prove(draft._replace(items=(*draft.items, *module.items)), str(path))


def test_a_sound_draft_stays_whole(tmp_path: Path) -> None:
    draft, path = drafted(tmp_path)
    made = prove(draft, str(path))
    assert made.dropped == ()
    assert made.draft.text() == draft.text()
    assert {audit.outcome for audit in made.audits} == {"passed"}
    assert made.compiled is not None and made.compiled.diagnostics == ()


@pytest.mark.parametrize("case", SCENARIOS)
def test_what_is_refused_goes_with_its_reason(case: str, tmp_path: Path) -> None:
    scenario, (name, reason) = SCENARIOS[case]
    made = proved(tmp_path, TOOL, scenario)
    assert made.dropped
    assert all(each.startswith(name) for each, _ in made.dropped)
    assert any(reason in why for _, why in made.dropped), made.dropped
    assert case not in [each.name.text for each in made.draft.scenarios]
    assert made.compiled is not None and made.compiled.artifacts is not None
    lines = made.compiled.artifacts.files["scenarios.jsonl"].decode().splitlines()
    assert case not in {json.loads(line)["scenario"] for line in lines}


def test_declarations_that_nothing_needs_any_more_go(tmp_path: Path) -> None:
    made = proved(tmp_path, "const spare = 3")
    assert made.dropped == ()
    assert "spare" not in made.draft.text()


def test_an_error_in_a_tool_leaves_nothing(tmp_path: Path) -> None:
    made = proved(tmp_path, TOOL.replace("row.city", "row.town"))
    assert made.compiled is None
    assert made.dropped[-1][0] == "sales"
