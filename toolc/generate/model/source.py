"""A model as the source of the stages: what it is asked for each, and what becomes of its reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from toolc.emission.attempts import JournalError
from toolc.emission.judge import Verdict
from toolc.emission.loop import Loop, Settled, Task
from toolc.emission.prompts import prompt
from toolc.generate.draft import Change, Document, Draft, Json, StageError
from toolc.generate.model import forms
from toolc.importing.spec import write_items
from toolc.models.client import Refused
from toolc.syntax import tree

PACKAGE = "toolc.generate.prompts"


class Model(NamedTuple):
    """Asks a model, from any thread."""

    loop: Loop

    def settle(
        self, item: str, content: str, judge: Callable[[str], Verdict], about: str = ""
    ) -> Settled:
        """Asks for one thing until it is right. Raises `StageError` where nobody can be asked."""
        messages = (_system(), {"role": "user", "content": content})
        try:
            return self.loop.settle(Task(item, messages, judge, about))
        except (Refused, JournalError) as error:
            raise StageError(str(error)) from None

    # ------------------------------------------------------------ the stages

    def document(self, draft: Draft, tool: tree.Tool, meaning: Json) -> Document:
        name = tool.name.text
        head = next(item for item in draft.items if isinstance(item, tree.Environment))
        alone = write_items((head, tool))
        questions = "\n".join(f"- {each}" for each in _questions(draft, name)) or "- (none)"
        content = prompt(
            PACKAGE, "document", tool=alone.removeprefix("toolc 1").strip(), questions=questions
        )
        settled = self.settle(
            f"document/{draft.name}/{name}",
            content,
            lambda text: forms.judged(forms.documented, forms.Documentation(text, alone)),
        )
        (made,) = forms.tools_of(forms.items_of(_spec(settled, f"the tool `{name}`")))
        described = {field.name.text: field.description for field in made.parameters}
        return Document(
            made.description.value if made.description else "",
            {field: text.value for field, text in described.items() if text is not None},
        )

    def merges(self, draft: Draft) -> Sequence[Change]:
        """None: `toolc integrate` finds the tools of specs that overlap."""
        return ()

    def deploy(self, draft: Draft) -> Draft:
        text = draft.text()
        told = [fact for meaning in draft.meanings.values() for fact in meaning.get("facts", ())]
        facts = "\n".join(dict.fromkeys(map(str, told)))[: forms.MAX_FACTS]
        shown = f"\nFacts:\n{facts}\n" if facts else ""
        settled = self.settle(
            f"deploy/{draft.name}",
            prompt(PACKAGE, "deploy", spec=text, facts=shown),
            lambda reply: forms.judged(forms.deployed, forms.Deployment(reply, text)),
        )
        return draft._replace(items=forms.items_of(_spec(settled, "the environment")))


def _spec(settled: Settled, what: str) -> str:
    if settled.spec is None:
        raise StageError(f"{what}: the model has not made it: {settled.reason}")
    return settled.spec


@lru_cache(maxsize=1)
def _system() -> Mapping[str, Any]:
    from toolc.guide import page

    return {"role": "system", "content": prompt(PACKAGE, "system", guide=page())}


def _questions(draft: Draft, tool: str) -> list[str]:
    """The sub-questions that a tool answers, as they stand in the plans."""
    found = [
        step
        for scenario in draft.scenarios
        for step in forms.steps_of(scenario)
        if isinstance(step.call, tree.Call)
        and isinstance(step.call.base, tree.Ref)
        and step.call.base.name == tool
    ]
    return list(dict.fromkeys(_shown(step.question) for step in found if step.question))[:10]


def _shown(question: tree.Expr) -> str:
    if isinstance(question, tree.String):
        return question.value
    parts = question.parts if isinstance(question, tree.Interpolation) else ()
    return "".join(part if isinstance(part, str) else "…" for part in parts)
