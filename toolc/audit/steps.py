"""The gate of idle parts: every step of a plan counts, and every argument."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from toolc.audit import wording
from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.informed import lacking, unsaid
from toolc.audit.pool import others, resolved
from toolc.audit.script import Move, flat, with_moves
from toolc.audit.subject import FULL, Step, Subject
from toolc_runtime.values import canonical
from toolc_runtime.verify import literals

MOST_VALUES = 3
"""Other values of each argument that are tried."""

_MISSING = object()


def every_step_counts(subject: Subject) -> Finding:
    """Leaving out a step, or changing an argument, loses reward."""
    moves = flat(subject.reference)
    tried = 0
    for step in subject.steps:
        without = with_moves(
            subject.reference, [move for at, move in enumerate(moves) if at != step.number]
        )
        tried += 1
        if subject.play(without).verdict.reward >= FULL:
            return refuted(f"without step {step.number + 1} the reward is still whole", without)
        idle = _idle(subject, step)
        if idle is not None:
            return refuted(f"step {step.number + 1} (`{step.tool}`) is idle: {idle}")
    for step in subject.steps:
        for name, move in _changed(subject, step):
            tried += 1
            turn = moves[step.number][0]
            script = with_moves(
                subject.reference,
                [
                    *moves[: step.number],
                    (turn, move._replace(parallel=moves[step.number][1].parallel)),
                    *moves[step.number + 1 :],
                ],
            )
            if subject.play(script).verdict.reward >= FULL:
                other = canonical(move.arguments.get(name))
                return refuted(
                    f"step {step.number + 1} earns as much with `{name}` {other}", script
                )
    return proved(f"{tried} plans with a step less or another argument earn less")


def _is_named(subject: Subject, step: Step, name: str) -> bool:
    """Whether the prompt tells what a free argument is, and leaves nothing open: it holds the
    value as a key of a table, the one member of an enumeration, a number, a date, or quoted."""
    value = step.arguments.get(name)
    text = subject.prompt(step.turn)
    if wording.leaves_open(text) or isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return any(each.means(literals.exact(value)) for each in literals.numbers(text))
    if not isinstance(value, str):
        return False
    if value in subject.shared.keys.within(text) or value in subject.pool.quoted:
        return True
    if any(value == moment for _, find in literals.MOMENTS for moment, _ in find(text)):
        return True
    parameters = subject.shared.parameters[step.tool]
    schema = resolved(parameters.get("properties", {}).get(name, {}), parameters.get("$defs", {}))
    members = [each for each in schema.get("enum", ()) if isinstance(each, str)]
    return [each for each in members if literals.holds(text, each.replace("_", " "))] == [value]


def _changed(subject: Subject, step: Step) -> Iterator[tuple[str, Move]]:
    """The step's call with one argument changed, all valid; but for arguments that are left at
    their default, and free ones that the prompt does not name."""
    parameters = subject.shared.parameters[step.tool]
    for name, value in step.arguments.items():
        schema = parameters.get("properties", {}).get(name, {})
        if schema.get("default", _MISSING) == value:
            continue
        if name in step.free and not _is_named(subject, step, name):
            continue
        found = others(value, schema, parameters.get("$defs", {}), subject.shared.keys)
        valid = (
            {**step.arguments, name: other}
            for other in found
            if other != value and subject.shared.valid(step.tool, {**step.arguments, name: other})
        )
        for arguments in islice(valid, MOST_VALUES):
            yield name, Move(step.tool, arguments)


def _idle(subject: Subject, step: Step) -> str | None:
    """Why a step serves nothing, where it does not."""
    earlier = [each for each in subject.steps[: step.number] if each.tool == step.tool]
    if not step.fails and not step.writes:
        twins = [each for each in earlier if each.arguments == step.arguments]
        if any(each.outcome == step.outcome for each in twins):
            return "it repeats an earlier step, with the same result"
        if subject.shared.writes(step.tool) and step.outcome is None:
            return "it changes nothing and tells nothing"
    if _unread(subject, step) and all(_unread_too(each, step) for each in subject.siblings):
        return "nothing rests on it"
    return None


def _unread_too(sibling: Subject, step: Step) -> bool:
    """Whether the same step of another task of the family serves nothing, where it has that step:
    what is there by chance in one task is needed in others."""
    if step.number >= len(sibling.steps) or sibling.steps[step.number].tool != step.tool:
        return True
    return _unread(sibling, sibling.steps[step.number])


def _unread(subject: Subject, step: Step) -> bool:
    """Whether a look-up serves nothing: it changes nothing, every later argument is known without
    it, no answer rests on it, and there is something else to achieve. Where a later step depends
    on what it reads, or it may be what is asked for, the text must be one that does not ask to
    look first, and asks nothing."""
    if step.fails or step.writes or len(subject.steps) == 1:
        return False
    goals = {check.group for check in subject.solved.verdict.checks if check.kind == "goal"}
    if goals <= {"steps"} or any(goal.startswith("called") for goal in goals):
        return False
    rests_on = {index for turn in subject.task.turns for index in turn.get("answer_rests_on") or ()}
    if step.number in rests_on:
        return False
    later = subject.steps[step.number + 1 :]
    text = subject.asked(step.turn)
    looks_first = wording.checks_first(text, subject.task.system or "")
    if any(step.number in other.after for other in later) and looks_first:
        return False
    if "answer" not in subject.task.turns[step.turn] and wording.asks(text):
        return False
    return not any(_needs(subject, other, step) for other in later)


def _needs(subject: Subject, step: Step, lookup: Step) -> bool:
    """Whether an argument of a step could not be given, or not be chosen, without a look-up."""
    earlier = [each for each in subject.steps[: step.number] if each != lookup]
    if lacking(subject, step, earlier, exact=True) is not None:
        return True
    return unsaid(subject, step, earlier, literally=True) is not None
