"""The gate of knowledge: what a plan gives to tools is told, or found before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from toolc.audit import wording
from toolc.audit.against import against, unit_unnamed
from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.knowledge import Knowledge
from toolc.audit.pool import resolved
from toolc.audit.subject import Step, Subject
from toolc_runtime.values import canonical
from toolc_runtime.verify import literals

_MISSING = object()
FEW_NUMBERS = 1
"""Numbers of results from which an answer follows by two steps of arithmetic or not at all."""

CONSTANTS = frozenset([1.0, 2.0, 7.0, 12.0, 24.0, 60.0, 100.0, 1000.0, 365.0, 3600.0, 1.8, 32.0])
"""Numbers that everybody reckons with."""

_NO_DIGITS = re.compile(r"\D+")


def informed(subject: Subject) -> Finding:
    """Every argument of the plan can be known when it is needed."""
    count = 0
    for turn in subject.answers if subject.idle else ():
        known = Knowledge(subject.prompt(turn))
        part = known.lacks(subject.task.turns[turn]["answer"], {}, {})
        if part is not None:
            return refuted(f"the answer has {canonical(part)}, but nothing is to be called")
    for turn in () if subject.idle else subject.answers:
        part = _untold(subject, turn)
        if part is not None:
            return refuted(f"the answer has {canonical(part)}, which no step tells")
        unit = unit_unnamed(subject, turn, _told_until(subject, turn))
        if unit is not None:
            return refuted(unit)
    for step in subject.steps:
        missing = lacking(subject, step, subject.steps[: step.number])
        count += len(step.arguments)
        if missing is not None:
            name, value = missing
            return refuted(
                f"step {step.number + 1}: `{name}` of `{step.tool}` is {canonical(value)}, which "
                "is in no prompt, schema or earlier result"
            )
        doubt = _label(subject, step) or against(subject, step)
        if doubt is not None:
            return refuted(f"step {step.number + 1}: {doubt}")
        choice = unsaid(subject, step, subject.steps[: step.number])
        if choice is not None:
            return refuted(f"step {step.number + 1}: nothing in the prompt tells {choice}")
    return proved(
        f"the answers and all {count} arguments follow from prompts, schemas and earlier results"
    )


def _untold(subject: Subject, turn: int) -> object:
    """The first part of an answer that follows from nothing that was told until then; None where
    there is none, and for numbers where there are many to reckon with."""
    answer = subject.task.turns[turn]["answer"]
    known = Knowledge(subject.prompt(turn))
    known.numbers |= CONSTANTS
    told = len(known.numbers)
    for step in subject.steps:
        if step.turn <= turn:
            known.see(step.outcome)
    few = len(known.numbers) - told <= FEW_NUMBERS
    part = known.lacks(answer, {}, {})
    if part is None:
        return None
    for tool in subject.offered:
        known.read(wording.without_examples(subject.shared.descriptions[tool]))
    part = known.lacks(answer, {}, {})
    if isinstance(part, str) and not literals.is_decimal(part):
        return None if part.casefold() in ("yes", "no") else part
    return part if few else None


def _told_until(subject: Subject, turn: int) -> Knowledge:
    """What the prompt and the results of the plan tell until an answer is due."""
    known = Knowledge(subject.prompt(turn))
    for step in subject.steps:
        if step.turn <= turn:
            known.see(step.outcome)
    return known


def lacking(
    subject: Subject, step: Step, earlier: Sequence[Step], *, exact: bool = False
) -> tuple[str, object] | None:
    """The first argument that does not follow from the prompt and these steps, with the part; with
    `exact`, that does not stand there."""
    parameters = subject.shared.parameters[step.tool]
    about = "" if exact else wording.without_examples(subject.shared.descriptions[step.tool])
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
    """Why a number or a date cannot be known that stands in the prompt only as that of something
    that the tool has nothing to do with, as in `bay 7`; None where there is no such thing."""
    parameters = subject.shared.parameters[step.tool]
    text = subject.prompt(step.turn)
    tables = _tables(subject, step)
    about = wording.stems(" ".join([subject.shared.descriptions[step.tool], *tables]))
    for name, value in step.arguments.items():
        schema = parameters.get("properties", {}).get(name, {})
        written = set() if name in step.free else _written(text, value)
        nouns = [_owners(text, each) for each in written]
        if any(value in subject.shared.keys.tables.get(each, ()) for each in tables):
            continue
        if not nouns or any(each is None or each & about for each in nouns):
            continue
        for each in written:
            text = text.replace(each, " ")
        known = Knowledge(text, wording.without_examples(subject.shared.descriptions[step.tool]))
        for other in subject.steps[: step.number]:
            known.see(other.outcome)
        if known.lacks(value, schema, parameters.get("$defs", {})) is not None:
            return (
                f"`{name}` of `{step.tool}` is {canonical(value)}, which is in the prompt only as "
                "that of something else"
            )
    return None


def _written(text: str, value: object) -> set[str]:
    """How a number or date stands in a text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        exact = literals.exact(value)
        return {each.text for each in literals.numbers(text) if each.means(exact)}
    return {written for day, written in literals.dates(text) if day == value}


def _owners(text: str, written: str) -> frozenset[str] | None:
    document = wording.dates_a_document(text, written)
    return wording.labels(text, written) if document is None else wording.stems(document)


def _tables(subject: Subject, step: Step) -> list[str]:
    """The names of the tables and scalars that a step's tool reads and writes."""
    tool = subject.environment.tools.get(step.tool)
    return [*tool.reads, *tool.writes] if tool else []


_YES_AND_NO = {"yes", "no"}


def unsaid(
    subject: Subject, step: Step, earlier: Sequence[Step], *, literally: bool = False
) -> str | None:
    """A choice of a step among the few values that its schema lists, for which no word stands in
    the prompt or in an earlier result. By sense, any word that is not about something else may
    stand for it, unless the values are mere codes, or it has to be said `literally`."""
    parameters = subject.shared.parameters[step.tool]
    text = subject.prompt(step.turn)
    results = [canonical(each.outcome) for each in earlier]
    for name, value in step.arguments.items():
        schema = parameters.get("properties", {}).get(name, {})
        if name in step.free or schema.get("default", _MISSING) == value:
            continue
        kind = resolved(schema, parameters.get("$defs", {}))
        about = str(schema.get("description") or kind.get("description", ""))
        if isinstance(value, bool) or set(kind.get("enum", ())) == _YES_AND_NO:
            words = wording.stems(name) | wording.content(about) | wording.YES_OR_NO
            codes = False
        elif len(kind.get("enum", ())) > 1 and isinstance(value, str):
            about += subject.shared.summaries[step.tool]
            codes = wording.are_codes([each for each in kind["enum"] if each is not None], about)
            words = wording.stems(f"{value} {_NO_DIGITS.sub(' ', value)}" if codes else value)
        else:
            continue
        if not words.isdisjoint(wording.stems("\n".join([text, *results]))):
            continue
        if codes or literally or not wording.residue(text, _accounted(subject, step, name)):
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
