"""The gate of questions that have more than one answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolc.audit import wording
from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.leaves import leaves
from toolc.audit.subject import Step, Subject, prompt_key
from toolc.scenarios.rows import unordered
from toolc_runtime.draws import Draws
from toolc_runtime.episode import Episode
from toolc_runtime.values import canonical
from toolc_runtime.verify import literals


def unambiguous(subject: Subject) -> Finding:
    """No other task of the environment reads the same, and nothing rests on the order in which the
    rows of tables happen to stand, unless the prompt speaks of an order, or a tool of a choice."""
    if subject.shared.prompts[prompt_key(subject.task)] > 1:
        return refuted("another task has the same prompt and tools")
    prompt = subject.prompt(len(subject.task.turns))
    if wording.tells_an_order(prompt):
        return proved("no other task has this prompt with these tools")
    tie = _tie(subject) if wording.compares(prompt) else None
    if tie is not None:
        return refuted(f"{canonical(tie)} is chosen, and another one is as much")
    step = _by_order(subject)
    if step is None:
        for turn in subject.task.turns:
            if "answer_by_order" in turn:
                other = canonical(turn["answer_by_order"])
                return refuted(
                    f"with the rows of the tables in reverse order the answer is {other}"
                )
    elif _identifies(subject, step, prompt):
        return refuted(
            f"with the rows of the tables in reverse order step {step.number + 1} gives something "
            "else",
            subject.reference,
        )
    return proved("no other task has this prompt with these tools, and no order of rows matters")


def _identifies(subject: Subject, step: Step, prompt: str) -> bool:
    """Whether a look-up is to find the one thing that the prompt names, or that is more than the
    others, and its tool says of no choice of its own."""
    if step.writes or literals.words(subject.shared.summaries[step.tool]) & wording.CHOOSES:
        return False
    return wording.compares(prompt) or any(
        each in subject.named for each in leaves(dict(step.arguments))
    )


# ---------------------------------------------------------------- ties


def _tie(subject: Subject) -> Any:
    """What the plan takes out of a list as the most or the least, where another member is as much,
    and no tool tells an order; None where there is no such thing."""
    told = subject.prompt(len(subject.task.turns))
    for step in subject.steps:
        taken = {
            leaf
            for later in subject.steps[step.number + 1 :]
            for leaf in leaves(dict(later.arguments))
        }
        taken |= {str(turn["answer"]) for turn in subject.task.turns if "answer" in turn}
        chosen = {each for each in taken if not literals.holds(told, each)}
        if wording.tells_an_order(subject.shared.descriptions[step.tool]):
            continue
        for rows in _lists(step.outcome):
            found = [
                (row, name)
                for row in rows
                for name, value in row.items()
                if str(value) in chosen and not isinstance(value, bool)
            ]
            if len(found) == 1 and _is_tied(*found[0], rows):
                row, name = found[0]
                return row[name]
    return None


def _lists(outcome: Any) -> Iterator[list[dict[str, Any]]]:
    """The lists of objects in a result; an object of numbers is one, of its labels and them."""
    if isinstance(outcome, list):
        if len(outcome) > 1 and all(isinstance(each, dict) for each in outcome):
            yield outcome
    elif isinstance(outcome, dict):
        if len(outcome) > 2 and all(map(_is_number, outcome.values())):
            yield [{"label": label, "number": number} for label, number in outcome.items()]
        for inner in outcome.values():
            yield from _lists(inner)


def _is_tied(row: Mapping[str, Any], name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a row is at one end of a column only together with others."""
    shared = False
    for field, value in row.items():
        column: list[Any] = [each.get(field) for each in rows]
        if field == name or not all(map(_is_number, column)):
            continue
        if value not in (min(column), max(column)) or min(column) == max(column):
            continue
        if column.count(value) == 1:
            return False
        shared = True
    return shared


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# ---------------------------------------------------------------- the order of rows


def _by_order(subject: Subject) -> Step | None:
    """The first step whose result has other members where the rows of the tables stand in reverse
    order."""
    start = subject.environment._start_of(subject.task)
    turned = start._replace(base=subject.shared.reversal.of(start.base))
    episode = Episode(turned, Draws(start.seed))
    done = 0
    for turn in subject.reference:
        for tool, arguments, parallel in turn.moves:
            found = json.loads(episode.call(tool, arguments, parallel=parallel))
            expected = json.loads(subject.solved.observations[done])
            step = subject.steps[done]
            if not step.fails and unordered(found) != unordered(expected):
                return step
            done += 1
        episode.reply(turn.text)
    return None
