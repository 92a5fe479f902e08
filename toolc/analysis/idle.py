"""Checks of scenarios that hold whatever a model does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from toolc.analysis import core


def idle_checks(environment: core.EnvironmentDef) -> Iterator[core.CheckDef]:
    """The guards that no call of an offered tool can break."""
    for scenario in environment.scenarios:
        offered = {
            each.name: each
            for each in environment.functions
            if each.kind == "tool"
            and each.body is not None
            and (scenario.tools is None or scenario.distractors or each.name in scenario.tools)
        }
        limits = dict(scenario.limits)
        turns = (check for turn in scenario.turns for check in turn.checks)
        for check in (*scenario.checks, *turns):
            rule = _RULES.get(check.kind)
            if rule is not None and rule(check, offered, limits):
                yield check


Offered = dict[str, core.Function]


def _never(check: core.CheckDef, offered: Offered, limits: dict[str, int]) -> bool:
    return bool(check.tool) and check.tool not in offered


def _unchanged(check: core.CheckDef, offered: Offered, limits: dict[str, int]) -> bool:
    written = {name for tool in offered.values() for name in tool.effects.writes}
    return bool(check.names) and not written.intersection(check.names)


def _constraint(check: core.CheckDef, offered: Offered, limits: dict[str, int]) -> bool:
    """`calls <= N` where the limit is N or less."""
    match check.condition:
        case core.Comparison(
            operands=(core.Local(symbol=symbol), core.Constant(value=int() as bound)),
            operators=(("<=" | "<") as operator,),
        ):
            limit = limits.get(symbol.name)
            return limit is not None and limit <= bound - (operator == "<")
    return False


_RULES: dict[str, Callable[[core.CheckDef, Offered, dict[str, int]], bool]] = {
    "never": _never,
    "unchanged": _unchanged,
    "constraint": _constraint,
}
