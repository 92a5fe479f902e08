"""Writes runs as an evaluation does: reference plans, played well and with damage."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from toolc.scenarios.player import Player
from toolc_runtime import Environment, ftrl
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task
from toolc_runtime.values import canonical, plain

Json = dict[str, Any]


class _Careless(Player):
    """A player that now and then gives a wrong argument."""

    def __init__(self, episode: Episode, task: Task, rng: Random, care: float) -> None:
        super().__init__(episode, task)
        self.rng = rng
        self.care = care

    def arguments(self, step: Mapping[str, Any]) -> Json:
        given = super().arguments(step)
        if given and self.rng.random() > self.care:
            given[self.rng.choice(list(given))] = "nonsense"
        return given


def play(environment: Environment, task: Task, sample: int, seed: int, care: float) -> Json:
    """One line of `episodes.jsonl`. A player with care 1 follows the plan; with less it forgets
    steps, gives wrong arguments, calls what is not there and answers wrongly."""
    rng = Random(f"{task.id} {sample} {seed}")
    episode = environment.episode(task.id)
    player = _Careless(episode, task, rng, care)
    messages: list[Json] = []
    if task.system is not None:
        messages.append({"role": "system", "content": task.system})

    def record(tool: str, arguments: Any, text: str) -> None:
        id = f"call_{len(messages)}"
        function = {"name": tool, "arguments": canonical(arguments)}
        call = {"id": id, "type": "function", "function": function}
        messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": id, "content": text})

    verdict: Any = None
    user = task.turns[0]["user"]
    for number, turn in enumerate(task.turns):
        messages.append({"role": "user", "content": user})
        for step in turn["steps"]:
            if rng.random() > care:
                continue
            text = player.do(step)
            record(step["tool"], episode.trace[-1].arguments, text)
        if rng.random() > care:
            record("no_such_tool", {}, episode.call("no_such_tool", {}))
        said = player.text(turn) if rng.random() <= care else "I could not find out."
        messages.append({"role": "assistant", "content": said})
        ended = episode.reply(said)
        if not isinstance(ended, str):
            verdict = ended
            break
        player.learn(task.turns[number + 1]["user"], ended)
        user = ended
    return line(environment, task, sample, episode, messages, verdict)


def line(
    environment: Environment,
    task: Task,
    sample: int,
    episode: Episode,
    messages: Sequence[Json],
    verdict: Any,
) -> Json:
    calls, solved, goals = len(episode.trace), verdict.solved, verdict.goals
    expected = ftrl.expected_answers(task)
    score = ftrl.score(expected, [(each.tool, plain(each.result)) for each in episode.trace])
    right = task.kind == "none" and verdict.reward == 1
    return {
        "id": f"{environment.name}/{task.id}#{sample}",
        "environment": environment.name,
        "task": task.id,
        "sample": sample,
        "seed": 1,
        "scenario": task.scenario,
        "kind": task.kind,
        "difficulty": dict(task.difficulty),
        "messages": list(messages),
        "calls": [_call(each) for each in episode.trace],
        "changes": _changes(episode.changes(), lambda pair: dict(zip(SIDES, pair, strict=True))),
        "verdict": verdict.to_json(),
        "figures": {
            "solve_precision": min(1.0, solved / calls) if calls else float(right),
            "solve_rate": solved / goals if goals else 1.0,
            "solve_f1": min(1.0, 2 * solved / (calls + goals)) if calls + goals else 1.0,
            "success": verdict.reward == 1,
            "calls": calls,
            "turns": len(task.turns),
            "invalid_calls": sum(each.status == "rejected" for each in episode.trace),
        },
        "ftrl": {
            "solve_precision": score.precision,
            "solve_rate": score.rate,
            "solve_f1": score.f1,
        },
        "usage": {"prompt_tokens": 900 + 40 * calls, "completion_tokens": 30 * calls},
        "not_scored": None,
        "seconds": 0.02,
    }


SIDES = ("before", "after")


def _call(call: Any) -> Json:
    return {
        "tool": call.tool,
        "arguments": plain(dict(call.arguments)),
        "result": plain(call.result),
        "status": call.status,
        "turn": call.turn,
        "message": call.message,
        "writes": _changes(call.writes, lambda pair: pair[1]),
    }


def _changes(found: Mapping[str, Any], side: Callable[[Any], Any]) -> Json:
    return {
        name: plain(
            {key: side(pair) for key, pair in change.items()}
            if isinstance(change, dict)
            else side(change)
        )
        for name, change in found.items()
    }


def unscored(episode: Json, why: str = "timeout after 60 s") -> Json:
    """The same episode, had the model's server failed."""
    return {**episode, "figures": None, "verdict": None, "ftrl": None, "not_scored": why}


def write_run(
    folder: Path,
    episodes: Iterable[Json],
    policy: str = "reference",
    samples: int = 1,
    digests: Mapping[str, str] | None = None,
) -> Path:
    """A run's folder. Environments have a digest made of their names unless one is given."""
    found = list(episodes)
    names = dict.fromkeys(each["environment"] for each in found)
    head = {
        "format": 1,
        "toolc": "0.1.0",
        "build": "build",
        "policy": {"name": policy, "temperature": 0.7},
        "samples": samples,
        "seed": 0,
        "environments": {
            name: {
                "digest": (digests or {}).get(name) or sha256(repr(name).encode()).hexdigest(),
                "tasks": len({each["task"] for each in found if each["environment"] == name}),
            }
            for name in names
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(head), encoding="utf-8")
    with (folder / "episodes.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in found)
    return folder


def played(
    environments: Iterable[Environment], samples: int = 1, seed: int = 0, care: float = 0.8
) -> list[Json]:
    """The lines of a run over all tasks of environments."""
    return [
        play(environment, task, sample, seed, care)
        for environment in environments
        for task in environment.tasks.values()
        for sample in range(samples)
    ]
