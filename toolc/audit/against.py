"""What a prompt says against a plan: a number in another unit, the other direction, and answers in
a unit that nobody named."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from toolc.audit.knowledge import CLOSE, Knowledge
from toolc.audit.subject import Step, Subject
from toolc_runtime.values import canonical
from toolc_runtime.verify import literals

_UNITS = """
length: km kilometre kilometer; mile mi; metre meter m; cm centimetre centimeter; mm; foot feet ft
length: inch; yard
mass: kg kilo kilogram kilogramme; g gram gramme; mg milligram; lb lbs; ounce oz; tonne ton
time: seconds secs s; minute min mins; hour h hr hrs; day; week; month; year
temperature: celsius; fahrenheit; kelvin
volume: litre liter l; ml millilitre milliliter; gallon; pint; cl
money: cent pence; euro eur; dollar usd; gbp
speed: kmh kph; mph; knot
data: kb kilobyte; mb megabyte; gb gigabyte; tb terabyte
energy: kwh; wh; mwh; joule
"""
"""Units by what they measure; the words of one unit stand together."""

_UNIT_OF: Mapping[str, tuple[str, str]] = {
    form: (dimension, unit.split()[0])
    for dimension, _, units in (line.partition(": ") for line in _UNITS.strip().splitlines())
    for unit in units.split("; ")
    for word in unit.split()
    for form in ((word, f"{word}s", f"{word}es") if len(word) > len("km") else (word,))
}
_NAMED = re.compile(r"[%€$£°]|\b(?:per ?cent|percentage|share|rate|thousands?|millions?)\b", re.I)
"""What names a unit beside its words."""
_CONVERTS = (10.0, 60.0, 100.0, 1000.0, 3600.0, 24.0, 1440.0, 1e6)
"""Numbers that lead from one unit to another."""

_SOURCES = frozenset("from source src sender payer origin departure giver".split())  # noqa: SIM905
_TARGETS = frozenset(
    "to target dest destination recipient receiver payee arrival".split()  # noqa: SIM905
)
_TOWARDS = {"from": "from", "to": "to", "into": "to", "onto": "to"}
_BACK = frozenset("back return returning reverse undo refund revert".split())  # noqa: SIM905
NEAR = 3
"""Words before a name among which the preposition stands that goes with it."""


def against(subject: Subject, step: Step) -> str | None:
    """Why the prompt says something else than a step does; None where it does not."""
    return _other_unit(subject, step) or _other_way(subject, step)


# ---------------------------------------------------------------- units


def _units(words: Iterable[str]) -> set[tuple[str, str]]:
    return {_UNIT_OF[word] for word in words if word in _UNIT_OF}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())


def _other_unit(subject: Subject, step: Step) -> str | None:
    """An argument that is a number of the prompt which has another unit there than the tool's."""
    parameters = subject.shared.parameters[step.tool].get("properties", {})
    text = subject.prompt(step.turn)
    for name, value in step.arguments.items():
        if isinstance(value, bool) or name in step.free:
            continue
        number = literals.number(str(value))
        if number is None or not isinstance(value, (int, float, str)):
            continue
        about = f"{name} {parameters.get(name, {}).get('description', '')}"
        own = _units(_words(about)) or _units(_words(subject.shared.summaries[step.tool]))
        own |= _units(_words(canonical(_without(step.arguments, name))))
        exact = number.readings[0].value
        written = {each.text for each in literals.numbers(text) if each.means(exact)}
        told = [_unit_after(text, at) for at in written]
        if not own or not told or not all(told):
            continue
        if not any(
            unit not in own and unit[0] in {dimension for dimension, _ in own}
            for several in told
            for unit in several
        ):
            continue
        if any(unit in own for several in told for unit in several):
            continue
        for at in written:
            text = text.replace(at, " ")
        known = Knowledge(text, exact=True)
        for other in subject.steps[: step.number]:
            known.see(other.outcome)
        if known.lacks(value, {}, {}) is not None:
            unit = next(iter(told[0]))[1]
            return (
                f"`{name}` of `{step.tool}` is {canonical(value)}, which the prompt has in {unit}"
            )
    return None


def _without(arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in arguments.items() if other != name}


def _unit_after(text: str, written: str) -> set[tuple[str, str]]:
    """The units that a number has in a text; none where it also stands without, or by another
    unit, as in `miles per hour`."""
    pattern = (
        rf"(?<![\w.,]){re.escape(written)}(?![\d]|[.,]\d)[\s-]*(?:degrees\s+)?([^\W\d_]*)"
        r"(?![^\W\d_]|\s*(?:/|per\b|an?\b|each\b))"
    )
    found = [_UNIT_OF.get(hit[1].casefold()) for hit in re.finditer(pattern, text)]
    units = {unit for unit in found if unit is not None}
    return units if None not in found else set()


def unit_unnamed(subject: Subject, turn: int, known: Knowledge) -> str | None:
    """Why an answer cannot be known that is what was told in another unit, where the prompt names
    no unit and nothing else leads there; None where it is not so."""
    answer = subject.task.turns[turn]["answer"]
    if isinstance(answer, bool) or not isinstance(answer, (int, float, str)) or answer == 0:
        return None
    if isinstance(answer, str) and not literals.is_decimal(answer):
        return None
    text = subject.prompt(turn)
    if _units(_words(text)) or _NAMED.search(text):
        return None
    value = float(answer)
    told = known.numbers - known.bare
    if any(math.isclose(value, each, rel_tol=CLOSE) for each in told):
        return None
    converted = [
        each
        for each in told
        for factor in _CONVERTS
        if math.isclose(value, each / factor, rel_tol=CLOSE)
        or math.isclose(value, each * factor, rel_tol=CLOSE)
    ]
    if not converted or known.reckons(value):
        return None
    return f"the answer is {canonical(answer)}, which was told in another unit, and none is named"


# ---------------------------------------------------------------- directions


def _other_way(subject: Subject, step: Step) -> str | None:
    """Two names that stand in the prompt as `from` and `to`, and are given the other way round."""
    source, target = _of_role(step, _SOURCES), _of_role(step, _TARGETS)
    text = subject.asked(step.turn)
    if source is None or target is None or literals.words(text) & _BACK:
        return None
    if any(True for _ in literals.dates(source)):  # a flight departs first, a guest arrives first
        return None
    if _directions(text, source) != {"to"} or _directions(text, target) != {"from"}:
        return None
    turned = (target, source)
    if any(
        (_of_role(other, _SOURCES), _of_role(other, _TARGETS)) == turned for other in subject.steps
    ):
        return None
    return f"`{step.tool}` goes from {source} to {target}, and the prompt the other way"


def _of_role(step: Step, role: frozenset[str]) -> str | None:
    """The one text that a step gives to a parameter with such a name."""
    found = [
        value
        for name, value in step.arguments.items()
        if isinstance(value, str) and role & set(_words(name.replace("_", " ")))
    ]
    return found[0] if len(found) == 1 else None


def _directions(text: str, name: str) -> set[str]:
    """The prepositions that stand closest before a name; empty where one place has none."""
    found: set[str] = set()
    for hit in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
        before: list[Any] = re.findall(r"[\w'-]+", text[: hit.start()].casefold())[-NEAR:]
        nearest = next((_TOWARDS[word] for word in reversed(before) if word in _TOWARDS), None)
        if nearest is None:
            return set()
        found.add(nearest)
    return found
