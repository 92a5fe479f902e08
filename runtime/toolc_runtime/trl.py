"""Episodes as TRL's `GRPOTrainer(environment_factory=…)` takes them.

A build's `trl_environment.py` derives a class with one method a tool. Nothing here raises into the
trainer: a row without a known task gives an episode without one, whose verdict is not scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from toolc_runtime.environment import Environment
from toolc_runtime.episode import Episode


class TrlEnvironment:
    """An environment instance that plays one episode after another; tools are its methods.

    TRL makes every public method a tool, so all that is not one starts with an underscore.
    """

    _environment: ClassVar[Environment]

    def __init__(self) -> None:
        self._episode: Episode = self._environment.episode()

    def reset(self, **row: Any) -> str | None:
        """Start the episode of the row's `task`.

        None where the row brings its prompt, else the task's messages as one text.
        """
        task = row.get("task")
        known = isinstance(task, str) and task in self._environment.tasks
        self._episode = self._environment.episode(task if known else None)
        if row.get("prompt"):
            return None
        return "\n\n".join(message["content"] for message in self._episode.messages) or None

    def _call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        optional: Mapping[str, Any] | None = None,
    ) -> str:
        """Call a tool; JSON text. Of `optional`, what is None counts as left out."""
        given = dict(arguments)
        for name, value in (optional or {}).items():
            if value is not None:
                given[name] = value
        return self._episode.call(tool, given)


def final_text(completion: Any) -> str:
    """What a completion ends with: the text of its last message, "" where that is a tool's."""
    if isinstance(completion, str):
        return completion
    if not isinstance(completion, Sequence) or not completion:
        return ""
    last = completion[-1]
    if not isinstance(last, Mapping) or last.get("role") != "assistant":
        return ""
    content = last.get("content")
    return content if isinstance(content, str) else ""


def rewards(
    completions: Sequence[Any], environments: Sequence[TrlEnvironment]
) -> list[float | None]:
    """The verdicts' rewards, 0 to 1; None for an episode without a task, which TRL leaves out."""
    found: list[float | None] = []
    for completion, environment in zip(completions, environments, strict=True):
        verdict = environment._episode.finish(final_text(completion))
        found.append(verdict.reward if verdict.scored else None)
    return found
