"""The gate of those who call nothing: silence, and answers that are told beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolc.audit import calls, wording
from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.leaves import TELLING, distinctive, leaves, stands_in
from toolc.audit.script import Move, with_moves, with_texts
from toolc.audit.subject import Subject
from toolc_runtime.verify import literals

CLAUSE = re.compile(r"[.;:!?\n]+(?=\s|$)|,\s")
"""What ends a clause."""


def nothing_gains_nothing(subject: Subject) -> Finding:
    """Who calls nothing earns nothing; where nothing is to be called, who calls earns nothing."""
    if subject.idle:
        return _any_call_loses(subject)
    for texts in _claims(subject):
        script = with_texts(with_moves(subject.reference, []), texts)
        if subject.play(script).verdict.reward > 0:
            return refuted("an episode without calls is paid", script)
    for turn in subject.answers:
        if _leaks(subject, turn):
            return refuted("the prompt itself states the answer")
    return proved("no text alone earns anything, and the prompt does not state the answer")


def _claims(subject: Subject) -> Iterator[dict[int, str]]:
    turns = range(len(subject.task.turns))
    yield dict.fromkeys(turns, "")
    yield {turn: subject.prompt(turn) for turn in turns}
    yield {turn: each.text for turn, each in enumerate(subject.reference)}


def _any_call_loses(subject: Subject) -> Finding:
    random = subject.random("any call")
    for tool in subject.offered:
        arguments = calls.drawn(subject, tool, random) or {}
        script = with_moves(subject.reference, [(0, Move(tool, arguments))])
        if subject.play(script).verdict.reward > 0:
            return refuted(f"a call of `{tool}` is paid though nothing is to be called", script)
    return proved(f"a call of any of the {len(subject.offered)} tools earns 0")


# ---------------------------------------------------------------- answers that are told


def _leaks(subject: Subject, turn: int) -> bool:
    """Whether the answer stands in what the model is told, and is not one of several values that
    the user names. One of few letters or digits may stand there by chance: of that it takes more
    to say so."""
    answer = subject.task.turns[turn]["answer"]
    if not distinctive(answer):
        return _leaks_little(subject, turn)
    line = subject.task.turns[turn]
    told = subject.prompt(turn)
    found = leaves(answer)
    others = line.get("answer_candidates") or ()
    earlier = "\n".join(each["user"] for each in subject.task.turns[:turn])
    if turn and all(stands_in(leaf, earlier) for leaf in found):
        return True
    if _in_descriptions(subject, found):
        return True
    if any(literals.holds(told, other) for other in others):
        return False
    if any(_is_choice(subject, leaf, told) for leaf in found):
        return False
    return all(stands_in(leaf, told) for leaf in found)


def _in_descriptions(subject: Subject, found: list[str]) -> bool:
    """Whether numbers of more than three digits, or names that are no key of a table, stand in what
    the descriptions of tools say, beside examples."""
    schemas = "\n".join(subject.shared.descriptions[tool] for tool in subject.offered)
    said = "\n".join(subject.shared.summaries[tool] for tool in subject.offered)
    said = wording.without_examples(said)
    return all(
        literals.holds(schemas if literals.number(leaf) else said, leaf)
        if len(leaf) > TELLING and (literals.number(leaf) or not leaf.islower())
        else False
        for leaf in found
    )


def _is_choice(subject: Subject, value: str, told: str) -> bool:
    """Whether a value is one of several that the prompt asks about: keys of one table, or what
    several steps take as the same argument."""
    if subject.shared.keys.alike(value, told):
        return True
    taken: dict[tuple[str, str], set[str]] = {}
    for step in subject.steps:
        for name, argument in step.arguments.items():
            taken.setdefault((step.tool, name), set()).add(str(argument))
    return any(value in values and len(values) > 1 for values in taken.values())


def _leaks_little(subject: Subject, turn: int) -> bool:
    """Whether a number below a thousand is told that no step takes: one that stands beside what
    the answer is asked of, or of two digits and not the label of something else. And whether the
    prompts of all tasks of the family hold their answers."""
    answer = subject.task.turns[turn]["answer"]
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return False
    value = literals.exact(answer)
    given = {leaf for step in subject.steps for leaf in leaves(dict(step.arguments))}
    if any(each.means(value) for leaf in given for each in literals.numbers(leaf)):
        return False
    told = subject.prompt(turn)
    written = {each.text for each in literals.numbers(told) if each.means(value)}
    written |= {text for text, number in wording.counted(told).items() if number == answer}
    if not written:
        return False
    if abs(answer) >= 10 and any(wording.labels(told, number) is None for number in written):
        return True
    named = _asked_of(subject, turn)
    *before, question = CLAUSE.split(told.rstrip(" .?!"))
    asked = wording.content(question)
    return any(
        any(literals.holds(clause, each) for each in named)
        or len(wording.content(clause) & asked) > 1
        for clause in before
        if any(literals.holds(clause, number) for number in written)
    )


def _asked_of(subject: Subject, turn: int) -> set[str]:
    """The texts that the steps take on which an answer rests."""
    rests_on = subject.task.turns[turn].get("answer_rests_on") or ()
    found = (leaves(dict(subject.steps[index].arguments)) for index in rests_on)
    return {leaf for several in found for leaf in several if not literals.number(leaf)}
