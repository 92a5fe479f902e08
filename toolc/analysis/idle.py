"""Checks of scenarios that hold whatever a model does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from toolc.analysis import core
from toolc.analysis.effects import nodes
from toolc.diagnostics.diagnostic import Edit, Fix
from toolc.node import Span
from toolc.syntax import tree


def idle_checks(environment: core.EnvironmentDef) -> Iterator[tuple[core.CheckDef, str]]:
    """The guards that no call of an offered tool can break, and why."""
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
            why = rule(check, offered, limits) if rule is not None else None
            if why is not None:
                yield check, why


def without_check(module: tree.Module, span: Span) -> Fix | None:
    """The fix that takes the check at a span away, with its comma; None where it is all that a
    scenario verifies."""
    for verify in nodes(module):
        if not isinstance(verify, tree.Verify):
            continue
        spans = [check.span for check in verify.checks]
        if span not in spans:
            continue
        at = spans.index(span)
        if at + 1 < len(spans):
            gone = Span(span.start, spans[at + 1].start)
        elif at:
            gone = Span(spans[at - 1].end, span.end)
        elif verify.only:
            return None
        else:
            gone = verify.span
        return Fix("remove the check", (Edit(gone, ""),))
    return None


Offered = dict[str, core.Function]


def _never(check: core.CheckDef, offered: Offered, limits: dict[str, int]) -> str | None:
    return f"`{check.tool}` is not offered" if check.tool and check.tool not in offered else None


def _unchanged(check: core.CheckDef, offered: Offered, limits: dict[str, int]) -> str | None:
    written = {name for tool in offered.values() for name in tool.effects.writes}
    if not check.names or written.intersection(check.names):
        return None
    return "no tool that is offered writes " + " or ".join(f"`{name}`" for name in check.names)


def _constraint(check: core.CheckDef, offered: Offered, limits: dict[str, int]) -> str | None:
    """`calls <= N` where the limit is N or less, or the tool is not offered."""
    match check.condition:
        case core.Comparison(
            operands=(core.Local(symbol=core.Measure(tool=tool)), core.Constant()),
            operators=("<=" | "<" | "==",),
        ) if tool and tool not in offered:
            return f"`{tool}` is not offered"
        case core.Comparison(
            operands=(core.Local(symbol=symbol), core.Constant(value=int() as bound)),
            operators=(("<=" | "<") as operator,),
        ):
            limit = limits.get(symbol.name)
            if limit is not None and limit <= bound - (operator == "<"):
                return f"`limits` allows {limit} {symbol.name}"
    return None


_RULES: dict[str, Callable[[core.CheckDef, Offered, dict[str, int]], str | None]] = {
    "never": _never,
    "unchanged": _unchanged,
    "constraint": _constraint,
}
