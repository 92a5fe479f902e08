"""Who answers: a model at a server, or one in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolc.models.client import Client, Completion, Unanswered
from toolc.models.local import Constraint, Failed, LocalError, LocalModel

Message = Mapping[str, Any]


class Remote(NamedTuple):
    """A model at a server; `seeded` says whether it is sent a seed."""

    client: Client
    seeded: bool = True

    def ask(self, messages: Sequence[Message], seed: int) -> Completion:
        return self.client.complete(messages, seed=seed if self.seeded else None)


class Local(NamedTuple):
    """A model in this process, which writes what a constraint allows if there is one."""

    model: LocalModel
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    constraint: Constraint | None = None

    def ask(self, messages: Sequence[Message], seed: int) -> Completion:
        try:
            made = self.model.generate(
                self.model.prompt(messages),
                seed=seed,
                temperature=self.temperature,
                top_p=self.top_p,
                max_tokens=self.max_tokens,
                constraint=self.constraint,
            )
        except (Failed, LocalError) as error:
            raise Unanswered(str(error)) from None
        return Completion(
            {"role": "assistant", "content": made.text.removesuffix(made.end)},
            "stop" if made.end else "length",
            made.prompt_tokens,
            made.completion_tokens,
        )
