"""One task under audit: its plan, its tools, and what is worked out once for all gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from random import Random
from typing import Any, NamedTuple

from toolc.audit.leaves import leaves
from toolc.audit.pool import Keys, Pool
from toolc.audit.script import Move, Played, Script, Turn, play
from toolc.scenarios.player import final_text
from toolc.scenarios.rows import Reversal
from toolc_runtime.environment import Environment
from toolc_runtime.schema import Problems, compile_parameters
from toolc_runtime.task import Task
from toolc_runtime.values import canonical
from toolc_runtime.verify import literals

FULL = 1 - 1e-9
"""Rewards from here on are the whole reward."""

SIBLINGS = 3
"""Other tasks of a family that are looked at where one alone could be chance."""


class Step(NamedTuple):
    """A step of the plan. `arguments` are those that the plan gives, nulls left out; `outcome` is
    its result or failure as JSON; `after` are the steps that it depends on."""

    number: int
    turn: int
    tool: str
    arguments: Mapping[str, Any]
    free: frozenset[str]
    fails: bool
    outcome: Any
    writes: Mapping[str, Any]
    after: tuple[int, ...]


class Shared:
    """What all tasks of one environment have in common: `tools` are its own; what is known of
    tools includes those of other environments that tasks offer."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        functions = [schema["function"] for schema in environment.schemas]
        self.own = tuple(each["name"] for each in functions)
        functions += [
            schema["function"]
            for name, other in environment.guests.items()
            for schema in other.schemas
            if schema["function"]["name"] == name
        ]
        self.parameters: dict[str, Mapping[str, Any]] = {
            each["name"]: each["parameters"] for each in functions
        }
        self.descriptions = {each["name"]: "\n".join(said(each)) for each in functions}
        self.summaries = {each["name"]: str(each.get("description", "")) for each in functions}
        self._checks = {
            name: compile_parameters(schema)[1] for name, schema in self.parameters.items()
        }
        self.keys = Keys(environment.base)
        self.reversal = Reversal()
        self.prompts = Counter(map(prompt_key, environment.tasks.values()))

    def writes(self, tool: str) -> bool:
        """Whether a tool changes the state; one of another environment changes only that's."""
        known = self.environment.tools.get(tool)
        return known is not None and bool(known.writes)

    def valid(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether the arguments pass the tool's schema."""
        problems: Problems = []
        self._checks[tool](dict(arguments), problems)
        return not problems


_FACETS = frozenset(
    ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "type"]
    + [f"{bound}{what}" for bound in ("min", "max") for what in ("Items", "Length", "Properties")]
)
"""Keywords of schemas whose values say nothing of what may be given."""


def said(value: Any) -> Iterator[str]:
    """The words of a tool's schema: names, descriptions and listed values."""
    if isinstance(value, dict):
        for label, inner in value.items():
            yield str(label)
            if label not in _FACETS or not isinstance(inner, (str, int, float)):
                yield from said(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from said(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def prompt_key(task: Task) -> str:
    """What a model is shown of a task before it does anything."""
    users = [turn["user"] for turn in task.turns]
    return canonical([task.system, users, None if task.tools is None else list(task.tools)])


class Subject:
    """One task under audit."""

    def __init__(self, shared: Shared, task: Task) -> None:
        self.shared = shared
        self.environment = shared.environment
        self.task = task
        self.steps = tuple(_steps(task))
        self.offered = tuple(shared.own if task.tools is None else task.tools)
        self.idle = task.kind == "none"

    @cached_property
    def reference(self) -> Script:
        """The plan, with the answers on answer lines: a call a message, or, where only that earns
        the whole reward, independent calls in one message."""
        one_by_one = self._plan(parallel=False)
        if self.play(one_by_one).verdict.reward >= FULL:
            return one_by_one
        together = self._plan(parallel=True)
        return together if self.play(together).verdict.reward >= FULL else one_by_one

    def _plan(self, *, parallel: bool) -> Script:
        turns = []
        for number, turn in enumerate(self.task.turns):
            moves: list[Move] = []
            first = 0  # step of the message under way
            for step in self.steps:
                if step.turn == number:
                    joined = bool(moves) and all(index < first for index in step.after)
                    first = first if joined else step.number
                    moves.append(Move(step.tool, step.arguments, parallel and joined))
            turns.append(Turn(tuple(moves), final_text(turn)))
        return tuple(turns)

    @cached_property
    def solved(self) -> Played:
        """The plan, played."""
        return self.play(self.reference)

    @property
    def answers(self) -> list[int]:
        """The turns that have an answer."""
        return [number for number, turn in enumerate(self.task.turns) if "answer" in turn]

    def play(self, script: Script) -> Played:
        return play(self.environment, self.task, script)

    def prompt(self, turn: int) -> str:
        """What the model was told up to a turn."""
        return f"{self.task.system or ''}\n{self.asked(turn)}"

    def asked(self, turn: int) -> str:
        """What the user said up to a turn."""
        return "\n".join(each["user"] for each in self.task.turns[: turn + 1])

    @cached_property
    def siblings(self) -> list[Subject]:
        """A few other tasks of the same family."""
        tasks = self.environment.tasks.values()
        others = (
            task for task in tasks if task.scenario == self.task.scenario and task is not self.task
        )
        return [Subject(self.shared, task) for task in islice(others, SIBLINGS)]

    @cached_property
    def pool(self) -> Pool:
        """What a caller finds in the prompt."""
        return Pool(self.prompt(len(self.task.turns)), self.shared.keys, also=self.named)

    @cached_property
    def named(self) -> list[str]:
        """The texts that steps take and that the prompt holds: names, of which it need not show
        where they end."""
        prompt = self.prompt(len(self.task.turns))
        found = (leaf for step in self.steps for leaf in leaves(dict(step.arguments)))
        return [leaf for leaf in dict.fromkeys(found) if literals.holds(prompt, leaf)]

    @cached_property
    def guesses(self) -> Pool:
        """What one tries who also guesses at keys."""
        keys = self.shared.keys
        return Pool(self.prompt(len(self.task.turns)), keys, keys.texts)

    def random(self, purpose: str) -> Random:
        """A generator of its own for each purpose, the same in every run."""
        return Random(f"{self.task.id}:{purpose}")


def _steps(task: Task) -> Sequence[Step]:
    steps: list[Step] = []
    for number, turn in enumerate(task.turns):
        for line in turn.get("steps") or ():
            given = {name: value for name, value in line["arguments"].items() if value is not None}
            fails = "failure" in line
            steps.append(
                Step(
                    len(steps),
                    number,
                    line["tool"],
                    given,
                    frozenset(line.get("free") or ()),
                    fails,
                    line["failure"] if fails else line.get("result"),
                    line.get("writes") or {},
                    tuple(line["after"]),
                )
            )
    return steps
