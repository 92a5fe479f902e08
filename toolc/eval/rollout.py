"""One episode: a policy and a task, message by message, to a verdict.

Whatever a model says is played: calls of one reply are parallel calls, one that cannot be read or
that breaks the schema is answered with an observation, and a reply without a call ends the turn.
An episode is not scored where the model could not be asked, or where the environment is at fault.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolc.eval.policy import Player, Policy, Unavailable, Unusable
from toolc_runtime.chat.message import Message, ToolCall
from toolc_runtime.environment import Environment
from toolc_runtime.episode import Episode
from toolc_runtime.errors import Malformed
from toolc_runtime.ftrl import expected_answers, score
from toolc_runtime.task import Task
from toolc_runtime.trace import Call
from toolc_runtime.values import key_text, parse, plain
from toolc_runtime.verify import Run, Verdict, match, solve_f1, solve_precision, solve_rate

MAX_TURNS = 50
"""Messages of the model in an episode, where neither the task nor the command says more."""

MAX_TEXT = 16_000_000
"""Characters of results in an episode: more than any model reads."""

MAX_REASON = 500
"""Characters of the reason why an episode is not scored."""

FULL = 1 - 1e-9
"""Rewards from here on are the whole reward."""

Line = dict[str, Any]
"""An episode as a line of `episodes.jsonl`."""


class Work(NamedTuple):
    """An episode to play: `sample` counts the episodes of one task from 0."""

    environment: str
    task: str
    sample: int
    seed: int

    @property
    def id(self) -> str:
        return episode_id(self.environment, self.task, self.sample)


def episode_id(environment: str, task: str, sample: int) -> str:
    """What an episode is called in a run."""
    return f"{environment}/{task}#{sample}"


def rollout(
    environment: Environment, work: Work, policy: Policy, max_turns: int | None = None
) -> Line:
    """Plays one episode. Never raises for what a model says, nor for what a policy does, but for
    `Unusable`: no other episode can be played either.

    `max_turns` bounds the model's messages below what the task itself allows.
    """
    began = time.perf_counter()
    task = environment.tasks[work.task]
    episode = environment.episode(task, seed=work.seed)
    talk = _Conversation(episode, environment.schemas_of(task))
    verdict, why = None, None
    try:
        player = policy.open(episode, task, work.seed)
        verdict = talk.play(player, most_messages(task, max_turns))
    except Unavailable as error:
        why = str(error) or "the model was not available"
    except Unusable:
        raise
    except Exception as error:
        why = f"the policy failed: {type(error).__name__}: {error}"
    else:
        why = None if verdict.scored else _fault(episode, verdict)
    calls = talk.calls()
    scored = verdict if why is None else None
    run = None if scored is None else match(episode, task)
    return {
        "id": work.id,
        **work._asdict(),
        "scenario": task.scenario,
        "kind": task.kind,
        "difficulty": dict(task.difficulty),
        "messages": talk.messages,
        "calls": calls,
        "changes": _changes(episode.changes()),
        "verdict": None if verdict is None else verdict.to_json(),
        "figures": run and scored and {**_figures(run, scored), **talk.counts()},
        "ftrl": run and _published(run, task, calls),
        "usage": {
            "prompt_tokens": talk.prompt_tokens,
            "completion_tokens": talk.completion_tokens,
        },
        "not_scored": None if why is None else why[:MAX_REASON],
        "seconds": round(time.perf_counter() - began, 3),
    }


def most_messages(task: Task, max_turns: int | None) -> int:
    """The most messages of a model in an episode of a task: its own limit, else `MAX_TURNS`, but
    at least twice what the plan takes."""
    allowed = task.limits.get("turns", max(MAX_TURNS, 2 * planned_messages(task)))
    return allowed if max_turns is None else min(allowed, max_turns)


def planned_messages(task: Task) -> int:
    """The messages of a model that does a task as the plan does it, a call each."""
    return sum(len(turn.get("steps") or ()) + 1 for turn in task.turns)


class _Conversation:
    """An episode as messages."""

    def __init__(self, episode: Episode, tools: Sequence[dict[str, Any]]) -> None:
        self.episode = episode
        self.tools = tools
        self.messages: list[Message] = [dict(message) for message in episode.messages]
        self.turns = 0
        self.truncated = False
        self.prompt_tokens = self.completion_tokens = 0
        self._made: list[tuple[str, str]] = []  # arguments as written, and what came back
        self._length = 0

    def play(self, player: Player, most: int) -> Verdict:
        """Lets a player talk to the end. Raises what the player raises."""
        while self.turns < most and self._length < MAX_TEXT:
            reply = player.respond(self.messages, self.tools)
            self.turns += 1
            self.prompt_tokens += reply.prompt_tokens
            self.completion_tokens += reply.completion_tokens
            self.messages.append(reply.to_message())
            if reply.calls:
                self._call_all(reply.calls)
                continue
            said = self.episode.reply(reply.content)
            if isinstance(said, Verdict):
                return said
            self.messages.append({"role": "user", "content": said})
        self.truncated = True
        return self.episode.finish()

    def _call_all(self, calls: Sequence[ToolCall]) -> None:
        for place, (id, name, arguments) in enumerate(calls):
            if self._length >= MAX_TEXT:
                return
            text = self.episode.call(name, arguments, parallel=place > 0)
            self._made.append((arguments, text))
            self._length += len(text)
            self.messages.append({"role": "tool", "tool_call_id": id, "content": text})

    def calls(self) -> list[dict[str, Any]]:
        """The calls as JSON. Beyond the calls that an episode records there are none."""
        return [
            {
                "tool": call.tool,
                "arguments": _read(written),
                "result": json.loads(text),
                "status": call.status,
                "turn": call.turn,
                "message": call.message,
                "writes": _writes(call),
            }
            for call, (written, text) in zip(self.episode.trace, self._made, strict=False)
        ]

    def counts(self) -> dict[str, Any]:
        """What the conversation was like."""
        trace = self.episode.trace
        return {
            "calls": len(trace),
            "turns": self.turns,
            "invalid_calls": sum(call.status == "rejected" for call in trace),
            "truncated": self.truncated,
        }


def _figures(run: Run, verdict: Verdict) -> dict[str, Any]:
    """What the episode earns under each of the published rewards, whatever its own is."""
    goals = [check for check in verdict.checks if check.kind == "goal"]
    guards = [check for check in verdict.checks if check.kind == "guard"]
    return {
        "solve_precision": solve_precision(run, goals, guards).reward,
        "solve_rate": solve_rate(run, goals, guards).reward,
        "solve_f1": solve_f1(run, goals, guards).reward,
        "success": verdict.reward >= FULL,
    }


def _published(run: Run, task: Task, calls: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The published measure, with the ids that the episode drew in place of the plan's."""
    expected = run.ids.apply(expected_answers(task))
    found = score(expected, [(call["tool"], call["result"]) for call in calls])
    return {
        "solve_precision": found.precision,
        "solve_rate": found.rate,
        "solve_f1": found.f1,
    }


def _read(written: str) -> Any:
    """Arguments as JSON where they are JSON, else as they were written."""
    try:
        return parse(written)
    except Malformed:
        return written


def _writes(call: Call) -> dict[str, Any]:
    return {
        name: plain(change[1])
        if isinstance(change, tuple)
        else {key_text(key): plain(after) for key, (_, after) in change.items()}
        for name, change in call.writes.items()
    }


def _changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _pair(change)
        if isinstance(change, tuple)
        else {key_text(key): _pair(pair) for key, pair in change.items()}
        for name, change in changes.items()
    }


def _pair(change: tuple[Any, Any]) -> dict[str, Any]:
    before, after = change
    return {"before": plain(before), "after": plain(after)}


def _fault(episode: Episode, verdict: Verdict) -> str:
    for call in episode.trace:
        if call.status == "fault":
            return f"fault of the environment: the tool `{call.tool}` is defective"
    return f"fault of the environment: {'; '.join(check.reason for check in verdict.checks)}"
