"""Episodes as verl's tools and reward function take them.

verl makes and releases a tool instance for every call, and tells a tool of nothing but its own
calls. So the episode is kept by the trajectory that it belongs to (verl's `agent_data`), and what
was called stands, as JSON, in the fields that the trajectory hands on to the reward function. That
runs elsewhere: it plays the episode anew, which gives what it gave, as episodes are determined by
their calls. A row may stand for one turn of a task, as in `toolc_runtime.trl`.

`toolc export verl` writes the classes that verl asks for on top of this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from toolc_runtime.chat import thinking
from toolc_runtime.environment import Environment, load
from toolc_runtime.episode import Episode
from toolc_runtime.ftrl import expected_answers, score
from toolc_runtime.trl import events, replay
from toolc_runtime.values import plain

KEY = "toolc"
"""Under which rows say what their episode is (`tools_kwargs`), and trajectories what was called."""

FIELD = "extras"
"""Of the fields that a trajectory may have the one that verl keeps a place for in every batch; of
others, batches without them could not be put together with batches that have them."""

_SHOWN = 64
"""Characters of the last result by which the text after it is found."""


class Rollouts:
    """The episodes that are played on the environments of a build in this process."""

    def __init__(self, build: Path) -> None:
        self._build = build
        self._environments: dict[str, Environment] = {}
        self._episodes: WeakKeyDictionary[Any, Episode] = WeakKeyDictionary()

    def begin(self, row: Mapping[str, Any]) -> Episode:
        """A new episode, as it is before the model's first message. A row has `environment` and
        `task`, and may have `prefix`. BuildError without such an environment, KeyError without
        such a task."""
        name = str(row["environment"])
        if name not in self._environments:
            self._environments[name] = load(self._build / name)
        episode = self._environments[name].episode(str(row["task"]))
        replay(episode, events(row.get("prefix")))
        return episode

    def call(
        self,
        trajectory: Any,
        row: Mapping[str, Any],
        fields: MutableMapping[str, Any],
        message: int,
        tool: str,
        arguments: Any,
    ) -> str:
        """Calls a tool in a trajectory's episode, which begins with the first call; JSON text.
        `message` counts the model's messages: calls of one are parallel. What was called is noted
        in the trajectory's `fields`."""
        episode = self._episodes.get(trajectory)
        if episode is None:
            episode = self._episodes[trajectory] = self.begin(row)
        noted = fields.setdefault(FIELD, {}).setdefault(KEY, {"calls": [], "shown": ""})
        parallel = bool(noted["calls"]) and noted["calls"][-1][2] == message
        given = arguments if isinstance(arguments, Mapping) else json.dumps(arguments)
        text = episode.call(tool, given, parallel=parallel)
        noted["calls"].append([tool, json.dumps(arguments, ensure_ascii=False), message])
        noted["shown"] = text[-_SHOWN:]
        return text

    def score(
        self, row: Mapping[str, Any], said: str, fields: Mapping[str, Any]
    ) -> dict[str, float]:
        """The marks of a trajectory: `score`, the verifier's reward, and beside it `success`, the
        published `solve_f1` and `calls`. `said` is all that the model said and read, `fields` those
        in which `call` has noted what was called. What `rest` of the row tells follows before it
        is judged."""
        episode = self.begin(row)
        noted = (fields.get(FIELD) or {}).get(KEY) or {}
        last = None
        for tool, arguments, message in noted.get("calls", ()):
            episode.call(tool, arguments, parallel=message == last)
            last = message
        episode.reply(final_text(said, str(noted.get("shown", ""))))
        replay(episode, events(row.get("rest")))
        verdict = episode.finish()
        made = [(call.tool, plain(call.result)) for call in episode.trace]
        task = episode.task
        marks = score(expected_answers(task) if task else {}, made)
        return {
            "score": verdict.reward,
            "success": float(verdict.reward >= 1),
            "solve_f1": marks.f1,
            "calls": float(verdict.calls),
        }


def final_text(said: str, shown: str) -> str:
    """The text with which a trajectory ends, without reasoning: what stands after the last result,
    of which `shown` is the end; "" where it ends with a call or a result. Without results, as
    `shown` is empty, it is all."""
    if shown:
        marker = next((mark for mark in _BEFORE if mark in said), shown)
        said = _without_header(said.rpartition(marker)[2])
    text = thinking.apart(said)[1].strip()
    for end in _ENDS:
        text = text.removesuffix(end).rstrip()
    return "" if any(mark in text for mark in thinking.CALLS) else text


_BEFORE = ("</tool_response>", "<|im_start|>assistant", "assistant\n")
"""What templates write between a result and the message that follows, the surest first."""

_ENDS = ("<|endoftext|>", "<|im_end|>", "<|eot_id|>")
"""What a message may end with, where a tokenizer does not count it as special."""

_HEADERS = ("<|im_end|>", "<|im_start|>", "<|eot_id|>", "assistant\n")


def _without_header(text: str) -> str:
    """What a template writes before a message's text is left out, each part once."""
    for header in _HEADERS:
        text = text.lstrip()
        text = text.removeprefix(header)
    return text
