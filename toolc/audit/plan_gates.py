"""Gates that look at the plan: is it right, can it be found, is all of it needed?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from toolc.audit import wording
from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.knowledge import Knowledge
from toolc.audit.pool import others, resolved
from toolc.audit.script import Move, flat, with_moves
from toolc.audit.subject import FULL, Step, Subject, prompt_key
from toolc_runtime.values import canonical
from toolc_runtime.verify import Verdict, literals

MOST_ORDERS = 24
"""Orders of a turn's independent steps that are tried."""

ORDERING = frozenset(
    ["then", "first", "second", "next", "after", "afterwards", "before", "finally", "last", "once"]
)
"""Words by which a text orders what it asks for."""

_MISSING = object()
_NO_DIGITS = re.compile(r"\D+")

MOST_VALUES = 3
"""Other values of each argument that are tried."""


def solvable(subject: Subject) -> Finding:
    """The plan reaches the whole reward."""
    verdict = subject.solved.verdict
    if verdict.scored and verdict.reward >= FULL:
        return proved(f"the plan's {len(subject.steps)} calls earn 1")
    why = "; ".join(f"{each.name}: {each.reason}" for each in verdict.checks if each.value < 1)
    return refuted(f"the plan earns {verdict.reward:.3g}: {why}", subject.reference)


def informed(subject: Subject) -> Finding:
    """Every argument of the plan can be known when it is needed."""
    count = 0
    for turn in subject.answers if subject.idle else ():
        known = Knowledge(subject.prompt(turn))
        part = known.lacks(subject.task.turns[turn]["answer"], {}, {})
        if part is not None:
            return refuted(f"the answer has {canonical(part)}, but nothing is to be called")
    for step in subject.steps:
        lacking = _lacking(subject, step, subject.steps[: step.number])
        count += len(step.arguments)
        if lacking is not None:
            name, value = lacking
            return refuted(
                f"step {step.number + 1}: `{name}` of `{step.tool}` is {canonical(value)}, which "
                "is in no prompt, schema or earlier result"
            )
        label = _label(subject, step)
        if label is not None:
            return refuted(f"step {step.number + 1}: {label}")
        unsaid = _unsaid(subject, step, subject.steps[: step.number])
        if unsaid is not None:
            return refuted(f"step {step.number + 1}: nothing in the prompt tells {unsaid}")
    return proved(f"all {count} arguments follow from prompts, schemas and earlier results")


def _lacking(
    subject: Subject, step: Step, earlier: Sequence[Step], *, exact: bool = False
) -> tuple[str, object] | None:
    """The first argument that does not follow from the prompt and these steps, with the part; with
    `exact`, that does not stand there."""
    parameters = subject.shared.parameters[step.tool]
    about = "" if exact else subject.shared.descriptions[step.tool]
    known = Knowledge(subject.prompt(step.turn), about, exact=exact)
    for other in earlier:
        known.see(other.outcome)
    for name, value in step.arguments.items():
        if name in step.free:
            continue
        schema = parameters.get("properties", {}).get(name, {})
        part = known.lacks(value, schema, parameters.get("$defs", {}))
        if part is not None:
            return name, part
    return None


def _label(subject: Subject, step: Step) -> str | None:
    """Why a number cannot be known that stands in the prompt only as the label of something that
    the tool has nothing to do with, as in `bay 7`; None where there is no such number."""
    parameters = subject.shared.parameters[step.tool]
    text = subject.prompt(step.turn)
    about = wording.stems(subject.shared.descriptions[step.tool]) | _touched(subject, step.tool)
    for name, value in step.arguments.items():
        schema = parameters.get("properties", {}).get(name, {})
        if name in step.free or isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        exact = literals.exact(value)
        written = {each.text for each in literals.numbers(text) if each.means(exact)}
        nouns = {number: wording.labels(text, number) for number in written}
        if not nouns or any(each is None or each & about for each in nouns.values()):
            continue
        for number in nouns:
            text = text.replace(number, " ")
        known = Knowledge(text, subject.shared.descriptions[step.tool])
        for other in subject.steps[: step.number]:
            known.see(other.outcome)
        if known.lacks(value, schema, parameters.get("$defs", {})) is not None:
            return (
                f"`{name}` of `{step.tool}` is {canonical(value)}, which is in the prompt only as "
                "the number of something else"
            )
    return None


def _touched(subject: Subject, tool: str) -> frozenset[str]:
    """The stems of the names of what a tool reads and writes."""
    known = subject.environment.tools.get(tool)
    return wording.stems(" ".join([*known.reads, *known.writes])) if known else frozenset()


def _unsaid(subject: Subject, step: Step, earlier: Sequence[Step]) -> str | None:
    """A choice of a step among the few values that its schema lists, for which no word stands in
    the prompt or in an earlier result. By sense, any word that is not about something else may
    stand for it, unless the values are mere codes."""
    parameters = subject.shared.parameters[step.tool]
    text = subject.prompt(step.turn)
    results = [canonical(each.outcome) for each in earlier]
    for name, value in step.arguments.items():
        schema = parameters.get("properties", {}).get(name, {})
        if name in step.free or schema.get("default", _MISSING) == value:
            continue
        kind = resolved(schema, parameters.get("$defs", {}))
        about = str(schema.get("description") or kind.get("description", ""))
        if isinstance(value, bool):
            words, codes = wording.content(f"{name} {about}"), False
        elif len(kind.get("enum", ())) > 1 and isinstance(value, str):
            about += subject.shared.summaries[step.tool]
            codes = wording.are_codes(kind["enum"], about)
            words = wording.stems(f"{value} {_NO_DIGITS.sub(' ', value)}" if codes else value)
        else:
            continue
        if not words.isdisjoint(wording.stems("\n".join([text, *results]))):
            continue
        if codes or not wording.residue(text, _accounted(subject, step, name)):
            return f"that `{name}` of `{step.tool}` is {canonical(value)}"
    return None


def _accounted(subject: Subject, step: Step, name: str) -> Iterator[str]:
    """What words of a prompt may be about, beside one argument of a step: the tools of the plan,
    their parameters, and what else is given to them."""
    for other in subject.steps:
        about = subject.shared.parameters[other.tool]
        yield other.tool
        yield subject.shared.summaries[other.tool]
        yield " ".join(each for each in about.get("properties", {}))
        yield from (
            canonical(value)
            for given, value in other.arguments.items()
            if other is not step or given != name
        )


# ---------------------------------------------------------------- every step counts


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
        if any(each.outcome == step.outcome and not each.writes for each in twins):
            return "it repeats an earlier step, with the same result"
        if subject.environment.tools[step.tool].writes and step.outcome is None:
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
    text = subject.prompt(step.turn)
    if any(step.number in other.after for other in later):
        if wording.checks_first(text):
            return False
        if "?" in text and "answer" not in subject.task.turns[step.turn]:
            return False
    turn = subject.task.turns[step.turn]
    if "answer" not in turn and not any(other.turn == step.turn for other in later):
        return False
    return not any(_needs(subject, other, step) for other in later)


def _needs(subject: Subject, step: Step, lookup: Step) -> bool:
    """Whether an argument of a step could not be given, or not be chosen, without a look-up."""
    earlier = [each for each in subject.steps[: step.number] if each != lookup]
    if _lacking(subject, step, earlier, exact=True) is not None:
        return True
    return _unsaid(subject, step, earlier) is not None


# ---------------------------------------------------------------- order


def order_free(subject: Subject) -> Finding:
    """Steps that do not depend on each other earn the same in every order."""
    moves = flat(subject.reference)
    orders = list(islice(_orders(subject.steps), 1, MOST_ORDERS + 1))
    for order in orders:
        script = with_moves(subject.reference, [moves[index] for index in order])
        reward = subject.play(script).verdict.reward
        if reward < FULL:
            shown = ", ".join(str(index + 1) for index in order)
            return refuted(f"in the order {shown} the same steps earn {reward:.3g}", script)
    for first, second in pairwise(subject.steps):
        if _may_swap(subject, first, second):
            swapped = list(moves)
            swapped[first.number], swapped[second.number] = (
                moves[second.number],
                moves[first.number],
            )
            script = with_moves(subject.reference, swapped)
            played = subject.play(script)
            if played.verdict.reward < FULL and not any(
                call.status != "ok" for call in played.episode.trace
            ):
                return refuted(
                    f"steps {first.number + 1} and {second.number + 1} do as well the other way "
                    f"round, and the prompt does not order them: {played.verdict.reward:.3g}",
                    script,
                )
    if not orders:
        return proved("the plan has one order")
    return proved(f"{len(orders) + 1} orders earn 1")


def _may_swap(subject: Subject, first: Step, second: Step) -> bool:
    """Whether two neighbours both write, are of one turn whose text sets no order, and neither
    needs what the other tells."""
    if first.turn != second.turn or first.fails or second.fails:
        return False
    if not (first.writes and second.writes):
        return False
    words = literals.words(subject.task.turns[first.turn]["user"])
    if words & ORDERING:
        return False
    before = [each for each in subject.steps[: second.number] if each != first]
    return _lacking(subject, second, before) is None


def _orders(steps: Sequence[Step]) -> Iterator[list[int]]:
    """The orders in which every step comes after those it depends on, the plan's first; turns keep
    their steps."""

    def extend(done: list[int]) -> Iterator[list[int]]:
        if len(done) == len(steps):
            yield done
            return
        turn = min(step.turn for step in steps if step.number not in done)
        for step in steps:
            ready = step.number not in done and all(index in done for index in step.after)
            if ready and step.turn == turn:
                yield from extend([*done, step.number])

    return extend([])


# ---------------------------------------------------------------- stable


def stable(subject: Subject) -> Finding:
    """Played again, from a fork, and after calls that are rolled back, all is the same."""
    first = _seen(subject.solved.verdict, subject.solved.observations)
    again = subject.play(subject.reference)
    if _seen(again.verdict, again.observations) != first:
        return refuted("a second run differs from the first", subject.reference)
    if again.episode.json_changes() != subject.solved.episode.json_changes():
        return refuted("a second run leaves another state", subject.reference)
    episode = subject.environment.episode(subject.task)
    observations: list[str] = []
    outcome: str | Verdict = ""
    for turn in subject.reference:
        for move in turn.moves:
            aside = episode.fork()
            aside.call(*move[:2], parallel=move.parallel)
            aside.finish("Done.")
            episode = episode.fork()
            observations.append(episode.call(*move[:2], parallel=move.parallel))
        outcome = episode.reply(turn.text)
    if isinstance(outcome, Verdict) and _seen(outcome, observations) != first:
        return refuted("an episode that was forked differs", subject.reference)
    return proved("runs, forks and their states are the same")


def _seen(verdict: Verdict, observations: Sequence[str]) -> str:
    return canonical([verdict.to_json(), list(observations)])


def unambiguous(subject: Subject) -> Finding:
    """No other task of the environment reads the same."""
    if subject.shared.prompts[prompt_key(subject.task)] > 1:
        return refuted("another task has the same prompt and tools")
    return proved("no other task has this prompt with these tools")
