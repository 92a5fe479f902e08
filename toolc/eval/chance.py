"""The random policy: calls drawn from the schemas, the prompt and the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

from toolc.audit.pool import Keys, Pool
from toolc_runtime.chat.message import Message, Reply, ToolCall
from toolc_runtime.environment import Environment
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task
from toolc_runtime.values import canonical

ENDS = 0.3
"""How likely a message is to end the turn."""

JOINS = 0.3
"""How likely a further call of the same message is."""

READ = 2_000
"""Characters that are read of each message."""


class Chance:
    """Calls tools at random with values that stand in the prompt, in what was shown or among the
    keys of the data, and says one of them at the end."""

    name = "random"

    def __init__(self, environments: Mapping[str, Environment]) -> None:
        self._environments = {
            task: environment
            for environment in environments.values()
            for task in environment.tasks.values()
        }
        self._keys = cache(lambda environment: Keys(environment.base))

    def open(self, episode: Episode, task: Task, seed: int) -> _Player:
        return _Player(self._keys(self._environments[task]), Random(seed))


class _Player:
    def __init__(self, keys: Keys, random: Random) -> None:
        self._keys = keys
        self._random = random
        self._count = 0

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        told = [message for message in messages if message["role"] in ("system", "user")]
        shown = [message for message in messages[-2:] if message["role"] == "tool"]
        text = "\n".join(message["content"][:READ] for message in [*told, *shown])
        pool = Pool(text, self._keys, self._keys.texts)
        random = self._random
        if not tools or random.random() < ENDS:
            known = [*pool.texts, *map(int, pool.numbers), None]
            return Reply(f"Answer: {canonical(random.choice(known))}")
        calls = [self._call(pool, tools)]
        while random.random() < JOINS:
            calls.append(self._call(pool, tools))
        return Reply(calls=tuple(calls))

    def _call(self, pool: Pool, tools: Sequence[dict[str, Any]]) -> ToolCall:
        self._count += 1
        function = self._random.choice(tools)["function"]
        arguments = pool.arguments(function["parameters"], self._random)
        return ToolCall(f"call_{self._count}", function["name"], canonical(arguments))
