"""Every diagnostic that toolc can give, by code. A code is never given to another meaning."""

from __future__ import annotations

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

RULES: dict[str, Rule] = {
    rule.code: rule
    for module in (syntax, names, types, data, tables, totality, scenarios, plans, targets)
    for rule in module.RULES
}

FAMILIES = {
    "TC01": "syntax",
    "TC02": "names",
    "TC03": "types",
    "TC04": "data and state",
    "TC05": "totality and cost",
    "TC06": "scenarios",
    "TC07": "targets",
}
"""What the codes that start alike are about."""
