"""How a prompt says things: which of its words carry a meaning, what its numbers number, and
whether it asks for something to be looked at before it is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from string import ascii_lowercase

from toolc_runtime.verify import literals

STEM = 4
"""Letters of a word that its forms share."""

FUNCTION_WORDS = frozenset(
    """a about after all also am an and another any anybody anyone anything are as at away back be
    because been before being both but by called can could did do does doing done down each either
    else
    ever every everybody everyone everything few for from further get gets getting give given
    gives go goes going got had has have having he hello help her here hers hey hi him his how i
    if in into is it its itself just kindly know let like ll look made make makes many may me
    mine more most much must my myself named need needs neither no none nor not now number of off
    okay
    on once one only onto or other others our ours out over own please put re really same say
    says see shall she should show so some somebody someone something soon such sure take takes
    tell tells than thank thanks that the their theirs them then there these they thing things
    this those through to today together too under until up upon us use using ve very via want
    wanted wants was way we well were what when where whether which while who whom whose why
    will wish with within without would yes yet you your yours""".split()  # noqa: SIM905
)
"""Words that say nothing of what is wanted."""

CHECKS = frozenset(
    """if whether unless check checks checked checking verify confirm ensure sure still yet already
    otherwise provided assuming case look first see allowed possible available when where depending
    depends identify""".split()  # noqa: SIM905
)
"""Words by which a text makes something depend on what is found, or asks to look first."""

POLICY = CHECKS | {"always", "must", "before", "never", "policy", "required"}
"""The same of a system prompt, which may ask to look first whatever is wanted."""

ASKS = CHECKS | frozenset(
    """what which who whom whose how why tell show give list report find let know read name say
    fetch get need want remind summarise summarize describe compare count calculate compute
    display print like details info information overview status result retrieve pull view
    inspect review search""".split()  # noqa: SIM905
)
"""Words by which a text asks to be told something, or to look."""

CHOOSES = frozenset(
    """first last next any some free available open random latest newest oldest earliest
    suggest""".split()  # noqa: SIM905
)
"""Words by which a tool says that it chooses."""

YES_OR_NO = frozenset(
    "on off not no without never up down out yes only all every nothing".split()  # noqa: SIM905
)
"""Words by which a text says yes or no to something."""

OPEN = frozenset(
    """any some or around roughly least most after before until between example similar
    whatever whichever own choose pick something somewhere anything anyone anybody suggest free
    freely convenient say""".split()  # noqa: SIM905
)
"""Words by which a text leaves something to whoever does it."""

ORDER = frozenset(
    """first last latest newest oldest earliest recent recently next previous second third
    top""".split()  # noqa: SIM905
)
"""Words by which a text speaks of the order in which things stand."""

_DOCUMENT = (
    r"\b(letter|e-?mail|mail|note|message|memo|report|article|complaint|receipt|postcard|fax)\s+"
    r"(?:of|from|dated)\s+(?:the\s+)?"
)
_SUPERLATIVE = re.compile(r"\b(?:most|least|best|worst|[a-z]{3,}est)\b", re.IGNORECASE)
_EXAMPLES = re.compile(
    r"\b(?:such as|for example,?|for instance,?|e\.g\.,?|eg|like)\s+[^.;)\]}]*", re.IGNORECASE
)
_ONES = """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen""".split()  # noqa: SIM905
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_COUNTED = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[ -]({'|'.join(_ONES[:9])}))?|({'|'.join(_ONES)}))\b",
    re.IGNORECASE,
)

_BEFORE_LABELS = r"in|at|of|on|from|for|the|this|that|my|our|your|is|was|by|with|to|near|via"
_ENDS = r"(?=\s*(?:[.,;:!?)]|$)|\s+(\w+))"
_LABEL = r"\b(?:{0})\s+([^\W\d_]{{2,}})\s+(?:no\.?\s+|number\s+|#\s*)?{1}{2}"


def stems(text: str) -> frozenset[str]:
    """The words of a text by their first letters, so that forms of a word are one."""
    return frozenset(word[:STEM] for word in literals.words(text.replace("_", " ")))


def content(text: str) -> frozenset[str]:
    """The stems of the words of a text that carry a meaning."""
    words = literals.words(text.replace("_", " ")) - FUNCTION_WORDS
    return frozenset(word[:STEM] for word in words if not word.isdigit())


def residue(text: str, accounted: Iterable[str]) -> frozenset[str]:
    """What carries a meaning in a text and is not in any of the others."""
    return content(text).difference(*map(stems, accounted))


def checks_first(text: str, system: str) -> bool:
    """Whether a text makes what it asks for depend on something that has to be looked at, or a
    system prompt does."""
    return bool(literals.words(text) & CHECKS or literals.words(system) & POLICY)


def compares(text: str) -> bool:
    """Whether a text asks for what is more than the others."""
    return _SUPERLATIVE.search(text) is not None


def asks(text: str) -> bool:
    """Whether a text asks to be told something."""
    return "?" in text or bool(literals.words(text) & ASKS)


def leaves_open(text: str) -> bool:
    """Whether a text leaves something to whoever does it."""
    return bool(literals.words(text) & OPEN)


def dates_a_document(text: str, day: str) -> str | None:
    """The document that a date is the date of wherever a text has it, as in `her letter of 7 May`;
    None where it also stands otherwise."""
    pattern = _DOCUMENT + re.escape(day)
    found = re.findall(pattern, text, re.IGNORECASE)
    return found[0].casefold() if found and len(found) == text.count(day) else None


def tells_an_order(text: str) -> bool:
    """Whether a text speaks of the order in which things stand."""
    return bool(literals.words(text) & ORDER)


def labels(text: str, number: str) -> frozenset[str] | None:
    """The stems of the nouns that a number stands behind as their label, as in `in bay 7`; None
    where it also stands otherwise, as in `7 boxes` or `by 7`."""
    places = len(re.findall(rf"(?<![\w.,]){re.escape(number)}(?![\w%]|[.,]\d)", text))
    pattern = _LABEL.format(_BEFORE_LABELS, re.escape(number), _ENDS)
    found = [
        hit[1].casefold()
        for hit in re.finditer(pattern, text, re.IGNORECASE)
        if hit[2] is None or hit[2].casefold() in FUNCTION_WORDS
    ]
    if not found or len(found) < places or FUNCTION_WORDS & set(found):
        return None
    return frozenset(word[:STEM] for word in found)


def are_codes(values: Sequence[str], about: str) -> bool:
    """Whether values are told apart by digits alone, such as `p1` and `p2`, or are letters in a
    row, and what is said about them names none of them."""
    bare = {"".join(char for char in each if not char.isdigit()).casefold() for each in values}
    letters = "".join(values).casefold()
    alike = len(bare) == 1 or (len(letters) == len(values) and letters in ascii_lowercase)
    return alike and not any(literals.holds(about, each) for each in values)


def without_examples(text: str) -> str:
    """A description without the values that it gives as examples."""
    return _EXAMPLES.sub(" ", text)


def counted(text: str) -> dict[str, int]:
    """The numbers below a hundred that a text writes in words, as they stand there."""
    found = {}
    for hit in _COUNTED.finditer(text):
        tens, ones, alone = (each.casefold() if each else "" for each in hit.groups())
        value = _ONES.index(alone) + 1 if alone else 20 + 10 * _TENS.index(tens)
        found[hit[0]] = value + (_ONES.index(ones) + 1 if ones else 0)
    return found
