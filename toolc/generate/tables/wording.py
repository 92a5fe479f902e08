"""How questions are put: templates that mean the same, of which a seed chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from string import Formatter

from toolc.generate.trees import Part

Parts = tuple[Part, ...]

TEMPLATES: Mapping[str, Sequence[str]] = {
    "lookup": (
        "What is the {what} of {row}?",
        "Tell me the {what} of {row}.",
        "I need the {what} of {row}.",
        "Please look up the {what} of {row}.",
    ),
    "count": (
        "How many {group} are there?",
        "Count the {group}.",
        "I need the number of {group}.",
        "How many {group} do we have on record?",
    ),
    "summary": (
        "What is the {statistic} {what} of the {group}?",
        "Work out the {statistic} {what} of all {group}.",
        "For a report I need the {statistic} {what} of the {group}.",
        "Taking all {group} together, what is their {statistic} {what}?",
    ),
    "top": (
        "Of all {group}, which one has the {extreme} {what}? Give its {key}.",
        "Which of the {group} has the {extreme} {what}? I need its {key}.",
        "Find the one with the {extreme} {what} among the {group}, and tell me its {key}.",
    ),
    "difference": (
        "By how much do {row} and {other} differ in {what}?",
        "What is the difference between the {what} of {row} and that of {other}? Give it as a "
        "positive number.",
        "How far apart are {row} and {other} in {what}?",
    ),
    "which": (
        "Which has the {extreme} {what}: {row} or {other}? Answer with its {key}.",
        "Compare the {what} of {row} with that of {other}. Which one has the {extreme} value? "
        "Answer with its {key}.",
        "Is it {row} or {other} that has the {extreme} {what}? Answer with its {key}.",
    ),
    "sum": (
        "What do the {what} figures of {rows} add up to?",
        "Add up the {what} of {rows}.",
        "Take the {what} of {rows}: what is the sum?",
    ),
    "both": (
        "What is the {what} of {row}, and what is that of {other}? Give both, in this order.",
        "Tell me the {what} of {row} and then that of {other}.",
        "I need the {what} of two {many}: first of {row}, then of {other}.",
    ),
    "group difference": (
        "By how much does the number of {group} differ from the number of {others}?",
        "How large is the difference in number between the {group} and the {others}?",
    ),
    "summary difference": (
        "By how much does the {statistic} {what} of the {group} differ from that of the {others}?",
        "Compare the {statistic} {what} of the {group} with that of the {others}: how large is the "
        "difference?",
    ),
    "chain": (
        "What is the {what} of {path}?",
        "Tell me the {what} of {path}.",
        "Find out the {what} of {path}.",
        "I'd like to know the {what} of {path}.",
    ),
    "top then": (
        "Among the {group}, take the one with the {extreme} {measure}. What is its {what}?",
        "Which of the {group} has the {extreme} {measure}, and what is its {what}? Answer with the "
        "{what} alone.",
        "Look for the one with the {extreme} {measure} among the {group} and tell me its {what}.",
    ),
    "called count": (
        "How many {many} belong to {row}?",
        "Count the {many} that belong to {row}.",
        "I know only a name: {row}. How many {many} belong to it?",
    ),
    "siblings": (
        "How many {many} have the same {role} as {row}, itself included?",
        "Take the {role} of {row}. How many {many} does it have in all, this one included?",
        "Counting {row} too, how many {many} share its {role}?",
    ),
    "only": (
        "There is exactly one {one} among the {group}. What is its {what}?",
        "The {group} are a single {one}. Tell me its {what}.",
    ),
    "chain difference": (
        "By how much does the {what} of {path} differ from that of {other}?",
        "What is the difference between the {what} of {path} and the {what} of {other}? Give it as "
        "a positive number.",
    ),
    "chain both": (
        "What is the {what} of {path}, and what is the {what} of {other}? Give both, in this "
        "order.",
        "I need two things, in this order: the {what} of {path}, and the {what} of {other}.",
    ),
    "top both": (
        "Take the {one} with the {extreme} {measure} among the {group}, and the one with the "
        "{extreme} {measure} among the {others}. What is the {what} of each? Give both, in this "
        "order.",
        "Among the {group} and among the {others}, look for the {one} with the {extreme} "
        "{measure}. What are the two's values of {what}, in this order?",
    ),
    "members difference": (
        "There are exactly two {group}. By how much do they differ in {what}?",
        "The {group} are two. What is the difference between their {what} figures? Give it as a "
        "positive number.",
    ),
    "set": (
        "Set the {what} of {row} to “{value}”.",
        "Please change the {what} of {row} to “{value}”.",
        "The {what} of {row} should be “{value}” from now on. Please record that.",
    ),
    "called set": (
        "Please set the {what} of {row} to “{value}”.",
        "I know only a name: {row}. Change its {what} to “{value}”.",
    ),
    "set both": (
        "Set the {what} of both {row} and {other} to “{value}”.",
        "The {what} of {row} and that of {other} should both become “{value}”. Please record that.",
    ),
    "members set": (
        "There are exactly two {group}. Set the {what} of both to “{value}”.",
        "Look for the two {group}, and change the {what} of each to “{value}”.",
    ),
}
"""Wordings by pattern."""

SYSTEM = (
    "Answer from the tools' data, and give figures in the units in which they stand there.",
    "Use the tools: only what they tell counts. Figures are in the units of the data.",
    "You answer questions about records that only the tools can read. Keep the units of the data.",
)


def say(random: Random, pattern: str, **slots: Part | Parts) -> Parts:
    """One of the pattern's wordings, with its slots filled."""
    parts: list[Part] = []
    for literal, slot, _, _ in Formatter().parse(random.choice(TEMPLATES[pattern])):
        parts.append(literal)
        if slot is not None:
            given = slots[slot]
            parts += given if isinstance(given, tuple) else (given,)
    return tuple(parts)
