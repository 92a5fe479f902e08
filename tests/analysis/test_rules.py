"""The examples of every rule that the checker raises, and the registry as a whole."""

from __future__ import annotations

import string

import pytest

from tests.analysis.samples import codes, judge, unpack
from toolc.diagnostics.registry import RULES
from toolc.diagnostics.render import apply_fixes
from toolc.diagnostics.rule import Rule
from toolc.diagnostics.rules import (
    data,
    names,
    plans,
    scenarios,
    syntax,
    tables,
    targets,
    totality,
    types,
)

CHECKED = [rule for module in (names, types, tables, totality, plans) for rule in module.RULES]
MODULES = (syntax, names, types, data, tables, totality, scenarios, plans, targets)


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_examples(rule: Rule) -> None:
    found = judge(rule.bad)
    assert {each.code for each in found} == {rule.code}
    assert {each.severity for each in found} == {rule.severity}
    assert judge(rule.good) == ()


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_safe_fixes_mend(rule: Rule) -> None:
    found = judge(rule.bad)
    if any(each.fix is not None and each.fix.applicability == "safe" for each in found):
        text, *others = unpack(rule.bad).values()
        assert others == []
        assert codes(apply_fixes(text, found)) == set()


def test_one_rule_a_code() -> None:
    listed = [rule.code for module in MODULES for rule in module.RULES]
    assert len(listed) == len(set(listed)) == len(RULES)
    assert all(code == rule.code for code, rule in RULES.items())


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_wording(rule: Rule) -> None:
    assert rule.bad != rule.good
    assert rule.bad.startswith("toolc 1\n") or rule.code.startswith("TC01") or rule.code == "TC0225"
    assert rule.good.startswith("toolc 1\n")
    assert not rule.message[0].isupper()
    assert not rule.message.endswith(".")
    assert rule.explanation.endswith(".")
    fields = [name for _, name, _, _ in string.Formatter().parse(rule.title) if name]
    assert fields == []
