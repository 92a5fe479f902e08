"""Gates that play the plan: once, twice, and in other orders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.informed import lacking
from toolc.audit.leaves import leaves
from toolc.audit.script import flat, with_moves
from toolc.audit.subject import FULL, Step, Subject
from toolc_runtime.values import canonical
from toolc_runtime.verify import Verdict, literals

MOST_ORDERS = 24
"""Orders of a turn's independent steps that are tried."""

ANOTHER_SEED = 987_654_321
FEWEST_CUT = 2
"""Characters from which on a part of an id is hardly there by chance."""

ORDERING = frozenset(
    ["then", "first", "second", "next", "after", "afterwards", "before", "finally", "last", "once"]
)
"""Words by which a text orders what it asks for."""

_EITHER_WAY = re.compile(
    r"\b(?:(?:any|either|whatever|whichever) order|order (?:does not|doesn['\u2019]t|is not)"
    r"|all the same|all one|(?:does not|doesn['\u2019]t|no) matter|makes no difference|regardless"
    r"|whichever|irrelevant)\b",
    re.IGNORECASE,
)
"""How a text says that the order of what it asks for is left open."""


def solvable(subject: Subject) -> Finding:
    """The plan reaches the whole reward."""
    verdict = subject.solved.verdict
    if verdict.scored and verdict.reward >= FULL:
        return proved(f"the plan's {len(subject.steps)} calls earn 1")
    why = "; ".join(f"{each.name}: {each.reason}" for each in verdict.checks if each.value < 1)
    return refuted(f"the plan earns {verdict.reward:.3g}: {why}", subject.reference)


# ---------------------------------------------------------------- order


def order_free(subject: Subject) -> Finding:
    """Steps that do not depend on each other earn the same in every order."""
    moves = flat(subject.reference)
    orders = list(islice(_orders(subject.steps), 1, MOST_ORDERS + 1))
    for order in orders:
        # What was together in one message stays so: the places keep their messages.
        placed = [
            (turn, moves[index][1]._replace(parallel=move.parallel))
            for index, (turn, move) in zip(order, moves, strict=True)
        ]
        script = with_moves(subject.reference, placed)
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
    text = subject.task.turns[first.turn]["user"]
    if literals.words(text) & ORDERING and not _EITHER_WAY.search(text):
        return False
    before = [each for each in subject.steps[: second.number] if each != first]
    return lacking(subject, second, before) is None


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
    return _elsewhere(subject) or proved("runs, forks and their states are the same")


def _elsewhere(subject: Subject) -> Finding | None:
    """What is wrong under another seed, where what is drawn there takes the place of what was drawn
    here; None where nothing is. An answer that is cut out of what is drawn is another one there."""
    episode = subject.environment.episode(subject.task, seed=ANOTHER_SEED)
    drawn: dict[str, str] = {}
    drawn_by: dict[str, int] = {}
    done = 0
    outcome: str | Verdict = ""
    for turn in subject.reference:
        for tool, arguments, parallel in turn.moves:
            found = episode.call(tool, _renamed(arguments, drawn), parallel=parallel)
            here = leaves(json.loads(subject.solved.observations[done]))
            for one, other in zip(here, leaves(json.loads(found)), strict=False):
                if one != other and not literals.number(one):
                    drawn.setdefault(one, other)
                    drawn_by.setdefault(one, done)
            done += 1
        outcome = episode.reply(_renamed(turn.text, drawn))
    for line in subject.task.turns:
        for leaf in leaves(line.get("answer")):
            for one, step in drawn_by.items():
                cut = len(leaf) >= FEWEST_CUT and leaf in one and leaf != one
                if cut and step in (line.get("answer_rests_on") or ()):
                    return refuted(f"the answer is cut out of {one}, which is drawn")
    if isinstance(outcome, Verdict) and outcome.reward < FULL:
        return refuted(f"under another seed the plan earns {outcome.reward:.3g}", subject.reference)
    return None


def _renamed(value: Any, drawn: Mapping[str, str]) -> Any:
    """A value with other names in the place of those that were drawn."""
    if isinstance(value, str):
        for one, other in drawn.items():
            value = value.replace(one, other)
        return value
    if isinstance(value, list):
        return [_renamed(inner, drawn) for inner in value]
    if isinstance(value, Mapping):
        return {name: _renamed(inner, drawn) for name, inner in value.items()}
    return value


def _seen(verdict: Verdict, observations: Sequence[str]) -> str:
    return canonical([verdict.to_json(), list(observations)])
