"""How well a model does on tasks that training has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolc.train.batching import BatchPolicy
from toolc.train.generation import Generator, Sampling
from toolc.train.rows import Row, Source, schemas
from toolc_runtime.task import Task
from toolc_runtime.verify import Verdict, match, solve_f1

MAX_MESSAGES = 12
"""Messages of the model in an episode, where the plan does not take more."""

SETS = {
    "unseen_tasks": "tasks",
    "unseen_families": "families",
    "unseen_environment": "environment",
}
"""Names of the figures, with what `unseen` says of their tasks."""


class Held(NamedTuple):
    """A task that is kept from training."""

    source: Source
    task: Task


def held_out(rows: Sequence[Row], sources: Mapping[str, Source]) -> dict[str, list[Held]]:
    """The tasks of test rows by set, each once."""
    made: dict[str, list[Held]] = {}
    for name, unseen in SETS.items():
        ids = dict.fromkeys((row["of"], row["task"]) for row in rows if row["unseen"] == unseen)
        made[name] = [Held(sources[of], sources[of].environment.tasks[task]) for of, task in ids]
    return made


def evaluate(
    generator: Generator, sets: Mapping[str, Sequence[Held]], most: int = 0
) -> dict[str, dict[str, float]]:
    """Figures by set, means over the scored episodes of its tasks, of the first `most` of each
    set where that is not 0; nothing for a set without a task."""
    policy = BatchPolicy("model", generator)
    found = {}
    for name, tasks in sets.items():
        some = tasks[:most] if most else tasks
        played = list(policy.play(lambda held: _play(policy, held), some, width=256))
        scored = [each for each in played if each is not None]
        if scored:
            found[name] = {
                figure: sum(each[figure] for each in scored) / len(scored) for figure in scored[0]
            } | {"episodes": float(len(scored))}
    return found


def generator_of(model: Any, tokenizer: Any, max_tokens: int, batch: int) -> Generator:
    """The likeliest replies of a model."""
    from toolc.train.trl_adapter import parse

    return Generator(model, tokenizer, parse(tokenizer), Sampling(max_tokens, 0.0, batch))


def _play(policy: BatchPolicy, held: Held) -> dict[str, float] | None:
    """One episode with all its turns; None where the environment is at fault."""
    source, task = held
    episode = source.environment.episode(task)
    tools = schemas(source, task)
    own = {offered: tool for tool, offered in source.names.items()}
    player = policy.open(episode, task, 0)
    messages: list[dict[str, Any]] = [dict(message) for message in episode.messages]
    verdict: Verdict | None = None
    planned = sum(len(turn["steps"]) + 1 for turn in task.turns)
    for _ in range(max(MAX_MESSAGES, 2 * planned)):
        reply = player.respond(messages, tools)
        messages.append(reply.to_message())
        for place, (id, name, arguments) in enumerate(reply.calls):
            result = episode.call(own.get(name, ""), arguments, parallel=place > 0)
            messages.append({"role": "tool", "tool_call_id": id, "name": name, "content": result})
        if reply.calls:
            continue
        said = episode.reply(reply.content)
        if isinstance(said, Verdict):
            verdict = said
            break
        messages.append({"role": "user", "content": said})
    verdict = verdict or episode.finish()
    if not verdict.scored:
        return None
    goals = [check for check in verdict.checks if check.kind == "goal"]
    guards = [check for check in verdict.checks if check.kind == "guard"]
    return {
        "solve_f1": solve_f1(match(episode, task), goals, guards).reward,
        "reward": verdict.reward,
        "success": float(verdict.reward >= 1 - 1e-9),
        "calls": float(verdict.calls),
        "rejected": float(sum(call.status == "rejected" for call in episode.trace)),
    }
