"""The loop for one spec: ask, find the spec in the reply, judge it, send back what is wrong.

Where an item stands, its attempts say and nothing else: a run that was ended goes on after the last
of them. Each round is a conversation of its own (the task, the last spec, what is wrong with it),
so that prompts do not grow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from toolc.emission.attempts import Attempt, Journal
from toolc.emission.extract import extract
from toolc.emission.judge import Json, Verdict, problem
from toolc.emission.prompts import prompt
from toolc.models.client import Completion, Unanswered
from toolc_runtime.values import canonical

Message = Mapping[str, Any]
PACKAGE = "toolc.emission.prompts"
MAX_PROBLEMS = 20
"""Problems that go back to the model at a time."""
MAX_SENT = 60_000
"""Characters of a spec or reply that go back."""
MAX_LINE = 1_500
"""Characters of one problem that go back."""


class Asker(Protocol):
    """Whoever has a model answer."""

    def ask(self, messages: Sequence[Message], seed: int) -> Completion:
        """The model's answer. Raises `Unanswered` where it has none to this, and `Refused` where it
        is of no use to go on."""


class Task(NamedTuple):
    """What is wanted: the item's name, how it is asked for, and who judges what comes."""

    item: str
    messages: tuple[Message, ...]
    judge: Callable[[str], Verdict]
    standard: str = ""
    """What the judge depends on, where that may change."""

    @property
    def digest(self) -> str:
        return sha256(canonical([self.messages, self.standard]).encode()).hexdigest()[:16]


class Settled(NamedTuple):
    """What an item came to: `spec` where one was accepted; else `reason` says why there is none,
    and `open` whether the same run may still get it, because the model could not be asked."""

    item: str
    attempts: tuple[Attempt, ...]
    spec: str | None = None
    reason: str = ""
    open: bool = False


class Loop(NamedTuple):
    """What all items share. `rounds` are those of repair, after the first pass."""

    asker: Asker
    journal: Journal
    rounds: int = 3
    seed: int = 0

    def settle(self, task: Task) -> Settled:
        """Brings an item to its end. Raises `Refused` and `JournalError`."""
        attempts = list(self.journal.of(task.item, task.digest))
        while not (attempts and attempts[-1].accepted) and len(attempts) <= self.rounds:
            messages = task.messages
            if attempts:
                messages = (*messages, *returned(attempts[-1]))
            try:
                completion = self.asker.ask(messages, self._seed(task.item, len(attempts)))
            except Unanswered as error:
                self.journal.note(task.item, {"round": len(attempts), "unanswered": str(error)})
                return Settled(task.item, tuple(attempts), None, str(error), True)
            attempts.append(_attempt(task, len(attempts), completion))
            self.journal.add(attempts[-1])
        last = attempts[-1]
        if last.accepted:
            return Settled(task.item, tuple(attempts), last.spec)
        first = last.problems[0]
        reason = f"{first['code']}: {first.get('message', '')}"
        return Settled(task.item, tuple(attempts), None, reason)

    def _seed(self, item: str, number: int) -> int:
        drawn = sha256(f"{self.seed}:{item}:{number}".encode("utf-8", "backslashreplace")).digest()
        return int.from_bytes(drawn[:4], "big")


def system() -> Message:
    """The message that tells a model of the language, and how to reply."""
    return {"role": "system", "content": _system()}


@lru_cache(maxsize=1)
def _system() -> str:
    from toolc.guide import page

    return prompt(PACKAGE, "emit", guide=page())


def _attempt(task: Task, number: int, completion: Completion) -> Attempt:
    reply = completion.text
    found = extract(reply)
    if found.text is None:
        verdict = Verdict("", (), (problem(found.code, found.message),))
    else:
        verdict = task.judge(found.text)
    problems = verdict.problems
    if problems and completion.truncated:
        cut = "the limit of tokens cut the reply off: write a shorter spec"
        problems = (problem("truncated", cut), *problems)
    return Attempt(
        task.item,
        task.digest,
        number,
        reply,
        completion.finish_reason,
        completion.prompt_tokens,
        completion.completion_tokens,
        verdict.text,
        verdict.fixed,
        problems,
        verdict.hash,
    )


def returned(attempt: Attempt) -> tuple[Message, Message]:
    """What goes back to the model: its spec after the safe fixes, and what is wrong with it."""
    if not attempt.spec:
        said = attempt.reply[:MAX_SENT] or "(nothing)"
        wrong = "; ".join(str(each["message"]) for each in attempt.problems)
        return _assistant(said), _user(prompt(PACKAGE, "anew", problems=wrong))
    lines = [_line(each) for each in attempt.problems[:MAX_PROBLEMS]]
    if len(attempt.problems) > MAX_PROBLEMS:
        lines.append(f"({len(attempt.problems) - MAX_PROBLEMS} more)")
    shown = f"```toolc\n{attempt.spec[:MAX_SENT]}```"
    return _assistant(shown), _user(prompt(PACKAGE, "repair", problems="\n".join(lines)))


def _line(found: Json) -> str:
    kept = {name: value for name, value in found.items() if name not in ("version", "path")}
    line = json.dumps(kept, ensure_ascii=False)
    if len(line) > MAX_LINE:
        line = json.dumps({**kept, "notes": [], "fix": None, "source_line": ""}, ensure_ascii=False)
    return line[:MAX_LINE]


def _assistant(content: str) -> Message:
    return {"role": "assistant", "content": content}


def _user(content: str) -> Message:
    return {"role": "user", "content": content}
