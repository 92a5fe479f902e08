"""Stage 1: questions become scenarios, sub-questions and their dependencies, with a declared tool
for each kind of sub-question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from toolc.generate import trees
from toolc.generate.draft import Draft, Json
from toolc.generate.trees import Part
from toolc.importing import spec
from toolc.importing.names import MAX_NAME, identifier, unique
from toolc.node import NOWHERE
from toolc.syntax import tree


class SubQuestion(NamedTuple):
    """A step in the making; `binder` is "" where nothing rests on what it gives."""

    question: Sequence[Part]
    tool: str
    arguments: Sequence[tuple[str, tree.Expr]]
    binder: str = ""


class Question(NamedTuple):
    """A scenario in the making: a family, what the user says, its sub-questions in order, and the
    answer where one is asked for."""

    title: str
    binder: str
    source: tree.Expr
    condition: tree.Expr | None
    tasks: int
    user: Sequence[Part]
    steps: Sequence[SubQuestion]
    answer: tree.Expr | None


def decompose(
    data: Iterable[tree.Item],
    tools: Mapping[str, tuple[tree.Tool, Json]],
    questions: Iterable[Question],
    system: str,
) -> Draft:
    """A draft of declarations of data, declared tools with what they mean, and scenarios."""
    said = tree.Const(NOWHERE, spec.label(SYSTEM), None, trees.value(system))
    taken: set[str] = set()
    scenarios = []
    for question in questions:
        name = unique(identifier(question.title.lower(), "task")[: MAX_NAME - 4], taken)
        taken.add(name)
        scenarios.append(_scenario(name, question))
    called = {step.tool for question in questions for step in question.steps}
    needed = {name: each for name, each in tools.items() if name in called}
    return Draft(
        (*data, said, *(tool for tool, _ in needed.values()), *scenarios),
        {name: meaning for name, (_, meaning) in needed.items()},
    )


SYSTEM = "answer_from_tools"
"""The constant that holds what the system says in every scenario."""


def _scenario(name: str, question: Question) -> tree.Scenario:
    family = tree.Family(
        NOWHERE,
        (spec.label(question.binder),),
        question.source,
        question.condition,
        tree.Number(NOWHERE, str(question.tasks)),
    )
    steps = tuple(
        tree.Step(
            NOWHERE,
            trees.text(*step.question),
            spec.label(step.binder) if step.binder else None,
            trees.named_call(step.tool, step.arguments),
            False,
            None,
            None,
            (),
        )
        for step in question.steps
    )
    clauses: list[tree.ScenarioClause] = [
        tree.System(NOWHERE, trees.ref(SYSTEM)),
        tree.User(NOWHERE, trees.text(*question.user)),
        tree.Plan(NOWHERE, steps, False),
    ]
    if question.answer is not None:
        clauses.append(tree.Answer(NOWHERE, question.answer))
    title = question.title[:1].upper() + question.title[1:]
    return tree.Scenario(NOWHERE, spec.label(name), spec.described(title), family, tuple(clauses))
