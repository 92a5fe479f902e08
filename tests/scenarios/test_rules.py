"""Every rule of TC06 that running a plan can raise, by its own examples."""

from __future__ import annotations

import pytest

from tests.scenarios.specs import compile_text
from toolc.diagnostics.rule import Rule
from toolc.diagnostics.rules.scenarios import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_bad_example_raises_exactly_its_code(rule: Rule) -> None:
    built = compile_text(rule.bad)
    assert [(found.code, found.severity) for found in built.diagnostics] == [
        (rule.code, rule.severity)
    ]
    assert bool(built.files) == (rule.severity == "warning")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_good_example_is_clean(rule: Rule) -> None:
    built = compile_text(rule.good)
    assert built.diagnostics == ()
    assert built.files
