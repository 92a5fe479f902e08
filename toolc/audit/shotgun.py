"""The gate of those who say too much: all calls made, and a text that holds more than asked."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Sequence
from typing import Any

from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.leaves import fields, leaves
from toolc.audit.script import with_texts
from toolc.audit.subject import FULL, Subject
from toolc_runtime.values import canonical
from toolc_runtime.verify import literals

_ANOTHER = (("2001-02-03T04:05:06", literals.datetimes), ("2001-02-03", literals.dates))


def no_shotgun(subject: Subject) -> Finding:
    """With all calls made, a text that says too much does not pass the answer."""
    if not subject.answers:
        return proved("no answer is asked for")
    tried = 0
    for turn in subject.answers:
        answer = subject.task.turns[turn]["answer"]
        if isinstance(answer, list) and len(answer) > 2 and _is_all(subject, answer):
            return refuted("the answer is all that there is: to list everything is right")
        for what, text in shots(subject, turn):
            tried += 1
            script = with_texts(subject.reference, {turn: text})
            if subject.play(script).verdict.reward >= FULL:
                return refuted(f"a final text that {what} passes", script)
    return proved(f"none of {tried} texts that list, negate or copy passes")


def _is_all(subject: Subject, answer: list[Any]) -> bool:
    """Whether a list holds every key of a table."""
    wanted = sorted(map(canonical, answer))
    tables = subject.shared.keys.tables.values()
    return any(
        len(keys) == len(wanted) and sorted(map(canonical, keys)) == wanted for keys in tables
    )


def shots(subject: Subject, turn: int) -> Iterator[tuple[str, str]]:
    """Texts that say more than a turn's answer, each with what it does."""
    line = subject.task.turns[turn]
    answer = line["answer"]
    stated = canonical(answer) if isinstance(answer, (dict, list, bool)) else str(answer)
    made = sum(len(each.moves) for each in subject.reference[: turn + 1])
    results = [json.loads(text) for text in subject.solved.observations[:made]]
    if isinstance(answer, bool):
        yield "says yes and no", "Yes. No."
    else:
        yield "negates the answer", f"It is not {stated}."
    called = [{step.tool: result} for step, result in zip(subject.steps, results, strict=False)]
    listed = _candidates(answer, line.get("answer_candidates") or (), called, subject.shared.keys)
    if len(listed) > len(leaves(answer)):
        nothing = "" if leaves(answer) else "None. "
        yield "lists every candidate", f"{nothing}It is one of these: " + "; ".join(listed)
    if not any(_is_little_more(each, answer) for each in [results, *results]):
        yield "copies all results", "\n".join(subject.solved.observations[:made])
    yield "lists answers on its last line", f'Answer: [{canonical(answer)}, 0, "x", true, false]'


def _is_little_more(result: Any, answer: Any) -> bool:
    """Whether to copy a result is to give the answer: it holds that alone, or is a short text."""
    if isinstance(result, str) and isinstance(answer, str):
        return literals.holds(result, answer) and len(result) <= 2 * len(answer) + 20
    return leaves(result) == leaves(answer)


def _candidates(
    answer: Any, known: Sequence[str], results: Sequence[Any], keys: Container[str]
) -> list[str]:
    """What somebody lists who does not know the answer: the values that it could be, and those of
    the results, each by its tool, that stand in fields like its own."""
    wanted = leaves(answer)
    named = list(fields(results, data=keys))
    names = {name for name, value in named if value in wanted}
    found = [*wanted, *known, *(value for name, value in named if name in names)]
    first = next(iter(wanted), "")
    if all(literals.number(each) is not None for each in wanted) and wanted:
        found.append(str(float(first) * 1.01 + 7))
    else:
        found += [other for other, read in _ANOTHER if any(at == first for _, at in read(first))]
    return list(dict.fromkeys(found))
