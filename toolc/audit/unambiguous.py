"""The gate of questions that have more than one answer."""

from __future__ import annotations

import json

from toolc.audit import wording
from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.subject import Subject, prompt_key
from toolc.scenarios.rows import unordered
from toolc_runtime.draws import Draws
from toolc_runtime.episode import Episode
from toolc_runtime.values import canonical


def unambiguous(subject: Subject) -> Finding:
    """No other task of the environment reads the same, and nothing rests on the order in which the
    rows of tables happen to stand, unless the prompt speaks of an order."""
    if subject.shared.prompts[prompt_key(subject.task)] > 1:
        return refuted("another task has the same prompt and tools")
    if wording.tells_an_order(subject.prompt(len(subject.task.turns))):
        return proved("no other task has this prompt with these tools")
    for turn in subject.task.turns:
        if "answer_by_order" in turn:
            other = canonical(turn["answer_by_order"])
            return refuted(f"with the rows of the tables in reverse order the answer is {other}")
    step = _by_order(subject)
    if step is not None:
        return refuted(
            f"with the rows of the tables in reverse order step {step + 1} gives something else",
            subject.reference,
        )
    return proved("no other task has this prompt with these tools, and no order of rows matters")


def _by_order(subject: Subject) -> int | None:
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
            if not subject.steps[done].fails and unordered(found) != unordered(expected):
                return done
            done += 1
        episode.reply(turn.text)
    return None
