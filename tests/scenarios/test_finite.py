"""Floats beyond their range: a call that gives or writes one fails, and leaves no trace."""

from __future__ import annotations

import pytest

from tests.scenarios.specs import compile_text, load_built
from toolc_runtime import Environment

SPEC = """toolc 1
environment lab "A lab."
record Probe { id: str, x: float = 0.0, xs: list[float] = [], at: {y: float} = {y: 1.0} }
table probes[id]: Probe = [{id: "a", x: 1e308, xs: [1.0, 2.0]}]
state big: float = 1e308
state kept: int = 0
fn huge() -> float { return probes["a"].x + big }
tool scalar() -> str { big = big * 10.0 return "ok" }
tool added() -> str { big += big return "ok" }
tool field() -> str { probes["a"].x = huge() return "ok" }
tool no_number() -> str { probes["a"].x = huge() - huge() return "ok" }
tool item() -> str { append huge() to probes["a"].xs return "ok" }
tool replaced() -> str { probes["a"].xs[0] = -huge() return "ok" }
tool nested() -> str { probes["a"].at = {y: huge()} return "ok" }
tool inserted() -> str { insert {id: "b", x: huge()} into probes return "ok" }
tool given() -> float { return huge() }
tool refused() -> str { kept += 1 fail {x: huge()} }
tool keeps() -> str keeps effects { kept += 1 probes["a"].x = huge() fail "no" }
tool finite() -> str { probes["a"].x = 1e308 - 1.0 kept += 1 return "ok" }
"""
WRITTEN = [
    "scalar",
    "added",
    "field",
    "no_number",
    "item",
    "replaced",
    "nested",
    "inserted",
    "keeps",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return load_built(compile_text(SPEC), tmp_path_factory.mktemp("lab"), "lab")


@pytest.mark.parametrize("tool", [*WRITTEN, "keeps", "given", "refused"])
def test_what_is_infinite_is_a_failure(lab: Environment, tool: str) -> None:
    episode = lab.episode()
    text = episode.call(tool, {})
    assert "is beyond the range of a float" in text
    assert episode.trace[0].status == "failed"
    assert episode.changes() == {}
    assert episode.call("finite", {}) == '"ok"'
    assert set(episode.changes()) == {"kept"}


def test_a_given_that_writes_one_is_reported() -> None:
    scenario = """
scenario s {
  given { probes["a"].x = huge() }
  user "Go."
  plan { step finite() }
}
"""
    found = compile_text(SPEC + scenario).diagnostics
    assert [each.code for each in found] == ["TC0613"]
    assert "beyond the range of a float" in found[0].message
