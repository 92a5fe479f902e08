"""TC07: targets. None so far: names that a target cannot take are renamed in that target alone."""

from __future__ import annotations

from toolc.diagnostics.rule import Rule

RULES: tuple[Rule, ...] = ()
