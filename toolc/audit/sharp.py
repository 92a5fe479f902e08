"""The gate that damages a solution a little, in every part: each damage must show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.script import Move, Script, flat, play, with_moves, with_texts
from toolc.audit.subject import FULL, Subject
from toolc_runtime.task import Task
from toolc_runtime.values import canonical
from toolc_runtime.verify import Check, literals

WRONG = "something else"
SENTENCE = "I have looked into it, and this is what I found out for you."
BREVITY = frozenset(["only", "just", "word", "words", "briefly", "brief", "short", "nothing"])
"""Words by which a text asks for a short answer."""
MOST_ROWS = 3


def sharp(subject: Subject) -> Finding:
    """Mutants of the answers, the calls and the final state lose reward; every goal is open at
    the start, and every guard can be broken."""
    vacuous = _vacuous(subject)
    if vacuous is not None:
        return vacuous
    unbroken = _unbroken(subject)
    if unbroken is not None:
        return refuted(f"nothing can break the guard `{unbroken}`")
    tried = 1
    wordy = with_texts(
        subject.reference,
        {turn: f"{SENTENCE}\n{each.text}" for turn, each in enumerate(subject.reference)},
    )
    if subject.play(wordy).verdict.reward < FULL and not _asks_for_few_words(subject):
        return refuted("a sentence beside the answer costs reward", wordy)
    for what, script in _scripts(subject):
        tried += 1
        if subject.play(script).verdict.reward >= FULL:
            return refuted(f"{what} costs nothing", script)
    for what, kept in _states(subject):
        tried += 1
        if kept:
            return refuted(f"{what} goes unnoticed: the state goal compares nothing")
    return proved(f"{tried} mutants of answers, calls and state lose reward")


# ---------------------------------------------------------------- vacuous checks


def _asks_for_few_words(subject: Subject) -> bool:
    if any("reply" in turn for turn in subject.task.turns):  # the form of the text is asked for
        return True
    words = literals.words(subject.prompt(len(subject.task.turns)))
    return bool(words & BREVITY)


def _unbroken(subject: Subject) -> str | None:
    """The name of a guard that keeps its value whatever a caller does."""
    guards = [each for each in subject.solved.verdict.checks if each.kind == "guard"]
    waiting = {each.name for each in guards if not _is_breakable(subject, each)}
    if subject.idle or not waiting:
        return None
    scripts = _extremes(subject)
    while waiting:
        script = next(scripts, None)
        if script is None:
            break
        verdict = subject.play(script).verdict
        waiting -= {each.name for each in verdict.checks if each.value < FULL}
    return next(iter(sorted(waiting)), None)


def _is_breakable(subject: Subject, guard: Check) -> bool:
    """Whether what the tools do tells that a guard can be broken; invariants always count."""
    kind, _, rest = guard.name.partition(" ")
    if kind == "never":
        return rest.partition("(")[0] in subject.offered
    if kind == "unchanged":
        tools = subject.environment.tools
        written = {name for tool in subject.offered if tool in tools for name in tools[tool].writes}
        return not written.isdisjoint(rest.split(", "))
    if guard.name == "order":
        return any(step.after for step in subject.steps)
    return guard.reason == "held after every call"


def _extremes(subject: Subject) -> Iterator[Script]:
    """Callers who go to some length to break a guard. All of them call something: whoever calls
    nothing earns nothing, with the guard or without."""
    reference = subject.reference
    moves = flat(reference)
    yield with_moves(reference, moves[::-1])
    yield with_moves(reference, moves[:1])
    yield with_texts(reference, dict.fromkeys(range(len(reference)), "word " * 5_000))
    yield with_texts(reference, dict.fromkeys(range(len(reference)), ""))
    for turn, _ in enumerate(reference):
        made = [Move(tool, {}) for tool in subject.offered] * 10
        several = [Move(move.tool, move.arguments, True) for _, move in moves] * 10
        for batch in (made, several):
            yield with_moves(reference, [*moves, *((turn, move) for move in batch)])
    random = subject.random("extremes")
    for tool in subject.offered:
        calls = [
            subject.guesses.arguments(subject.shared.parameters[tool], random) for _ in range(8)
        ]
        for turn, _ in enumerate(reference):
            yield with_moves(reference, [*moves, *((turn, Move(tool, each)) for each in calls)])


def _vacuous(subject: Subject) -> Finding | None:
    """A goal that holds before anything is done, or a state goal that compares nothing."""
    if subject.idle:
        return None
    script = tuple(turn._replace(text="") for turn in with_moves(subject.reference, []))
    idle = subject.play(script).verdict
    for check in idle.checks:
        if check.kind == "goal" and check.value > 0:
            return refuted(f"the goal `{check.name}` holds before anything is done", script)
    return None


# ---------------------------------------------------------------- answers and calls


def _scripts(subject: Subject) -> Iterator[tuple[str, Script]]:
    reference = subject.reference
    for turn in subject.answers:
        answer = subject.task.turns[turn]["answer"]
        for other in _other_answers(answer):
            yield (
                f"the answer {canonical(other)}",
                with_texts(reference, {turn: f"Answer: {canonical(other)}"}),
            )
        yield "no answer", with_texts(reference, {turn: ""})
    moves = flat(reference)
    for index, (turn, move) in enumerate(moves):
        for tool in subject.offered:
            if tool != move.tool:
                swapped = [*moves[:index], (turn, move._replace(tool=tool)), *moves[index + 1 :]]
                yield f"`{tool}` in place of `{move.tool}`", with_moves(reference, swapped)
                break


def _other_answers(answer: Any) -> Iterator[Any]:
    if isinstance(answer, bool):
        yield not answer
    elif isinstance(answer, (int, float)):
        yield from (answer * 1.01 + 1, -answer - 1)
    elif isinstance(answer, str):
        yield WRONG
    elif isinstance(answer, list) and answer:
        yield answer[:-1]
        yield [*answer, WRONG]
        for other in islice(_other_answers(answer[0]), 1):
            yield [other, *answer[1:]]
    elif isinstance(answer, dict):
        for name, inner in answer.items():
            for other in islice(_other_answers(inner), 1):
                yield {**answer, name: other}


# ---------------------------------------------------------------- the state


def _states(subject: Subject) -> Iterator[tuple[str, bool]]:
    """Other final states that the task could have expected, each with whether the state goal takes
    the plan's for it."""
    if not any(check.name == "state" for check in subject.solved.verdict.checks):
        return
    expected = subject.task.state
    blind = []
    for name, place, mutants in _places(subject):
        noticed = [not _passes(subject, {**expected, name: mutant}) for mutant in mutants]
        if not any(noticed):
            blind.append(place)
        else:
            yield f"a change of {place}", False
    if blind and len(blind) == sum(map(_size, expected.values())):
        yield f"a change of {blind[0]}", True


def _size(change: Any) -> int:
    return len(change) if isinstance(change, dict) else 1


def _passes(subject: Subject, state: Mapping[str, Any]) -> bool:
    task = Task({**subject.task.record, "state": state})
    verdict = play(subject.environment, task, subject.reference).verdict
    return all(check.value >= FULL for check in verdict.checks if check.name == "state")


def _places(subject: Subject) -> Iterator[tuple[str, str, list[Any]]]:
    """Tables and scalars that the plan changed, a place in each, and what it could be instead."""
    for name, change in subject.task.state.items():
        if name not in subject.environment.base.tables:
            yield name, f"`{name}`", [_mutated(change)]
            continue
        for key, row in islice(change.items(), MOST_ROWS):
            rest = {other: kept for other, kept in change.items() if other != key}
            yield name, f"`{name}[{canonical(key)}]`", [{**rest, key: _mutated(row)}, rest]


def _mutated(change: Any) -> Any:
    """Another change of a row or scalar: each value in it made another one."""
    if not isinstance(change, dict):
        return {"": WRONG} if change is None else WRONG
    return {path: WRONG for path in change} or {"": WRONG}
