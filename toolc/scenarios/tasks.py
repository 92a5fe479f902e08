"""From scenarios to tasks: expands families, plays every plan, and proves the reward of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from toolc.analysis import core
from toolc.diagnostics.diagnostic import Reporter
from toolc.emit.verifiers import Writes, has_goals
from toolc.scenarios import family
from toolc.scenarios.difficulty import Shape, shape
from toolc.scenarios.family import Member
from toolc.scenarios.findings import Broken, Findings
from toolc.scenarios.others import NO_OTHERS, Others, draw
from toolc.scenarios.pieces import part
from toolc.scenarios.play import Cast, Played, columns, play
from toolc.scenarios.player import replay
from toolc.scenarios.probe import MOST, Keys
from toolc.scenarios.rows import Reversal
from toolc.scenarios.stage import Failed, Stage
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task
from toolc_runtime.values import canonical, plain
from toolc_runtime.verify import Verdict

Json = dict[str, Any]

_FIRST, _FEW = 4, 4
"""After the first tasks of a family fewer other values of each argument are tried: an argument
that is pinned in one task is pinned in all."""


class Family(NamedTuple):
    """The tasks of one scenario, as lines of scenarios.jsonl."""

    scenario: core.ScenarioDef
    writes: Writes
    lines: tuple[Json, ...]


def families(stage: Stage, reporter: Reporter, others: Others = NO_OTHERS) -> list[Family]:
    """The tasks of every scenario; those whose plan does not go through are reported."""
    keys = {name: [plain(key) for key in source.rows] for name, source in stage.base.tables.items()}
    places = columns(stage.base)
    reversal = Reversal()
    return [
        _family(stage, number, scenario, keys, places, reversal, reporter, others)
        for number, scenario in enumerate(stage.definition.scenarios)
    ]


def _family(
    stage: Stage,
    number: int,
    scenario: core.ScenarioDef,
    keys: Keys,
    places: list[list[str]],
    reversal: Reversal,
    reporter: Reporter,
    others: Others,
) -> Family:
    findings = Findings(scenario.name)
    cast = Cast(stage, number, scenario, keys, findings, places, {}, {}, reversal)
    played: list[Played] = []
    tools = offered(stage.definition, scenario, reporter, others)
    if _can_be_played(scenario, tools, reporter):
        try:
            members = _members(stage, number, scenario, findings, reporter)
        except Broken:
            members = []
        for index, member in enumerate(members):
            trials = MOST if index < _FIRST else _FEW
            made = play(cast, member, _task_id(scenario, member), trials)
            if made is not None:
                played.append(made)
    _warn_of_twins(played, scenario, reporter)
    findings.report(reporter)
    writes: Writes = "none"
    if any(task.state for task in played):
        writes = "all" if all(task.state for task in played) else "some"
    if played and not has_goals(scenario, writes):
        reporter.report("TC0609", scenario.span)
    lines = tuple(_line(cast, task, tools) for task in played)
    return Family(scenario, writes, lines)


def _can_be_played(
    scenario: core.ScenarioDef, tools: tuple[str, ...] | None, reporter: Reporter
) -> bool:
    steps = [step for turn in scenario.turns for step in turn.steps]
    missing = [step for step in steps if tools is not None and step.tool not in tools]
    for step in missing:
        reporter.report("TC0617", step.span, tool=step.tool)
    return not missing


# ---------------------------------------------------------------- families


def _members(
    stage: Stage,
    number: int,
    scenario: core.ScenarioDef,
    findings: Findings,
    reporter: Reporter,
) -> list[Member]:
    source = scenario.source
    if source is None:
        return [Member("", ())]
    state = stage.state(stage.base)
    binders = len(scenario.targets)

    def evaluate(name: str, what: str, expression: core.Expr, *values: Any) -> Any:
        try:
            return stage.evaluate(part(number, name), state, *values)
        except Failed as failure:
            found = {"what": what, "failure": str(failure)}
            raise findings.broken("TC0613", expression.span, scenario.name, **found) from None

    if isinstance(source, core.TableRef):
        members = family.of_table(stage.base.tables[source.name].rows.items(), binders)
    else:
        members = family.of_value(evaluate("source", "the family", source), binders)
    condition = scenario.condition

    def accepts(member: Member) -> bool:
        if condition is None:
            return True
        return bool(evaluate("condition", "the family's condition", condition, *member.values))

    seed = stage.definition.seed
    size = scenario.drawn or scenario.sample
    taken, found = family.sample(members, size, seed, scenario.name, accepts)
    if not found:
        reporter.report("TC0606", (condition or source).span)
    elif scenario.sample is not None and not scenario.drawn and found < scenario.sample:
        reporter.report("TC0607", scenario.span, sample=scenario.sample, found=found)
    return taken


def _task_id(scenario: core.ScenarioDef, member: Member) -> str:
    return scenario.name if scenario.source is None else f"{scenario.name}:{member.key}"


def offered(
    environment: core.EnvironmentDef,
    scenario: core.ScenarioDef,
    reporter: Reporter,
    others: Others = NO_OTHERS,
) -> tuple[str, ...] | None:
    """The tools that a scenario's tasks offer, in order of declaration; None for all.

    Distractors are drawn with the seed among those that `tools` leaves out, or among those of the
    environments that it names, which come last.
    """
    every = [function.name for function in environment.functions if function.kind == "tool"]
    named = set(every if scenario.tools is None else scenario.tools)
    if scenario.distractor_sources:
        guests = tuple(guest.tool.name for guest in draw(environment, scenario, others))
        if scenario.distractors > len(guests):
            wanted = scenario.distractors
            reporter.report("TC0616", scenario.span, wanted=wanted, found=len(guests))
        return (*(name for name in every if name in named), *guests)
    left = [name for name in every if name not in named]
    left.sort(key=lambda name: family.rank(environment.seed, scenario.name, name))
    if scenario.distractors > len(left):
        wanted = scenario.distractors
        reporter.report("TC0616", scenario.span, wanted=wanted, found=len(left))
    if scenario.tools is None:
        return None
    named.update(left[: scenario.distractors])
    return tuple(name for name in every if name in named)


def _warn_of_twins(
    played: Sequence[Played], scenario: core.ScenarioDef, reporter: Reporter
) -> None:
    """Tasks that read the same and are answered otherwise."""
    seen: dict[str, tuple[str, str]] = {}
    for task in played:
        prompt = canonical([task.system, [turn["user"] for turn in task.turns]])
        answers = canonical([turn.get("answer") for turn in task.turns])
        first, known = seen.setdefault(prompt, (task.task, answers))
        if answers != known:
            reporter.report("TC0612", scenario.span, first=first, second=task.task)
            return


# ---------------------------------------------------------------- lines


def _line(cast: Cast, played: Played, tools: tuple[str, ...] | None) -> Json:
    scenario, environment = cast.scenario, cast.stage.definition
    steps = [step for turn in played.turns for step in turn["steps"]]
    for index, step in enumerate(steps):
        step["pinned"] = [name for name in step["arguments"] if name in cast.pinned[index]]
    form = shape(played.after)
    every = sum(function.kind == "tool" for function in environment.functions)
    line: Json = {
        "id": played.task,
        "scenario": scenario.name,
        "bindings": played.bindings,
        "kind": form.kind,
        "difficulty": _difficulty(form, played, every if tools is None else len(tools)),
        "seed": environment.seed,
        "tools": None if tools is None else list(tools),
        "system": played.system,
        "turns": played.turns,
        "given": played.given,
        "state": played.state,
        "fresh": list(played.fresh),
        "limits": dict(scenario.limits),
        "reward": scenario.reward.name,
    }
    if played.open:
        line["open"] = played.open
    if played.fixed_seed:
        line["fixed_seed"] = True
    if played.clock is not None:
        line["clock"] = played.clock
    return line


def _difficulty(form: Shape, played: Played, tools: int) -> Json:
    return {
        "steps": len(played.after),
        "depth": form.depth,
        "width": form.width,
        "tools": tools,
        "arguments": played.arguments,
    }


def scenarios_jsonl(made: Sequence[Family]) -> bytes:
    """The lines of every family, in order."""
    return "".join(canonical(line) + "\n" for each in made for line in each.lines).encode()


# ---------------------------------------------------------------- proof


def prove(stage: Stage, made: Sequence[Family], reporter: Reporter) -> None:
    """Plays every task as it was written, against the emitted verifiers, which are on the stage.

    The plan must earn 1, and no goal may be met before anything is done.
    """
    for each in made:
        findings = Findings(each.scenario.name)
        for line in each.lines:
            task = Task(json.loads(canonical(line)))
            _prove_task(stage, each.scenario, task, findings)
        findings.report(reporter)


def _prove_task(stage: Stage, scenario: core.ScenarioDef, task: Task, findings: Findings) -> None:
    verdict = replay(stage.environment.episode(task), task, parallel=False)
    if verdict.reward < 1 - 1e-9:
        other = replay(stage.environment.episode(task), task, parallel=True)
        if other.reward < 1 - 1e-9:
            findings.add(
                "TC0610",
                scenario.span,
                task.id,
                reward=f"{verdict.reward:.3g}",
                reasons=_reasons(verdict),
            )
    if not all(turn.plan_none for turn in scenario.turns):
        idle = _idle(stage.environment.episode(task), task)
        if not idle.scored:
            found = {"what": "the verifier of an idle episode", "failure": _reasons(idle)}
            findings.add("TC0613", scenario.span, task.id, **found)
        for check in idle.checks:
            if check.kind == "goal" and check.value > 0:
                findings.add("TC0611", scenario.span, task.id, goal=check.name)


def _idle(episode: Episode, task: Task) -> Verdict:
    """Calls nothing, and says nothing."""
    outcome: str | Verdict = ""
    for _ in task.turns:
        outcome = episode.reply("")
    return outcome if isinstance(outcome, Verdict) else episode.finish()


def _reasons(verdict: Verdict) -> str:
    shown = [f"{check.name}: {check.reason}" for check in verdict.checks if check.value < 1]
    return "; ".join(shown[:3]) or "the formula itself does not reach it"


# ---------------------------------------------------------------- counts


def count(made: Sequence[Family]) -> Iterator[tuple[str, int]]:
    """Tasks by kind."""
    kinds = Counter(line["kind"] for each in made for line in each.lines)
    return iter(sorted(kinds.items()))
