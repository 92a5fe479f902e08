"""`verifiers.py`: one function a scenario, with the scenario's own goals and guards spelled out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.effects import calls, nodes, own_effects
from toolc.analysis.types import Type
from toolc.emit import data, py
from toolc.emit.lower import lower_body
from toolc.emit.lowering.globals import Globals
from toolc.emit.namer import free
from toolc.emit.printer import print_module
from toolc.emit.schemas import state_schemas
from toolc.emit.tidy import names_in
from toolc.emit.tools import banner, finished, globals_of, imports
from toolc.node import Node
from toolc_runtime.values import plain

Writes = Literal["all", "some", "none"]
"""Which tasks of a scenario have a plan that writes."""

VERIFY = (
    "Verdict",
    "answer",
    "binary",
    "called",
    "check",
    "constraint",
    "ftrl_step",
    "invariant",
    "match",
    "never",
    "no_call",
    "order",
    "planned",
    "solve_f1",
    "solve_precision",
    "solve_rate",
    "state",
    "state_after",
    "steps",
    "unchanged",
    "weighted",
)
_OWN = {
    **dict.fromkeys(VERIFY, "toolc_runtime.verify"),
    "Episode": "toolc_runtime.episode",
    "Task": "toolc_runtime.task",
    "compile_schema": "toolc_runtime.schema",
}
_RESERVED = frozenset(
    {
        *_OWN,
        "State",
        "GIVEN",
        "VERIFIERS",
        "episode",
        "goal",
        "goals",
        "guards",
        "run",
        "seen",
        "task",
    }
)
_STORED_OTHERWISE = frozenset({"date", "time", "datetime", "duration", "decimal"})


def emit_verifiers(
    environment: core.EnvironmentDef,
    writes: Mapping[str, Writes],
    text: str = "",
    digest: str = "",
) -> str:
    """The source of `verifiers.py`.

    `writes` says of each scenario whether its plans write; `text` is the spec, from which
    constraints are named; `digest` the SHA-256 of the sources, for the banner.
    """
    return _Module(environment, writes, text).source(digest)


class _Module:
    """The module on its way: helpers, what is imported, the names that are taken."""

    def __init__(
        self, environment: core.EnvironmentDef, writes: Mapping[str, Writes], text: str
    ) -> None:
        self.environment = environment
        self.writes = writes
        self.text = text
        made = globals_of(environment)
        names = {name: free(python, _RESERVED) for name, python in made.names.items()}
        self.globals = Globals(environment, names, made.constants, made.types)
        self.originals = dict(zip(names.values(), made.names.values(), strict=True))
        self.taken = {
            *_RESERVED,
            *names.values(),
            *made.constants.values(),
            *self.globals.checks.values(),
        }
        self.imported: set[str] = set()
        self.body: list[py.Statement] = []
        self.invariants: list[tuple[core.InvariantDef, str, tuple[str, ...]]] = []

    def source(self, digest: str) -> str:
        self._declare_invariants()
        verifiers: list[tuple[py.Expr | None, py.Expr]] = []
        given: list[tuple[py.Expr | None, py.Expr]] = []
        for scenario in self.environment.scenarios:
            name = self.name(scenario.name)
            judge = _Verifier(self, scenario, name)
            self.body.append(judge.function())
            verifiers.append((py.Str(scenario.name), py.Name(name)))
            given += [
                (py.TupleDisplay((py.Str(scenario.name), py.number(number))), py.Name(made))
                for number, made in judge.given()
            ]
        registries = [_set("VERIFIERS", py.DictDisplay(tuple(verifiers)))]
        if given:
            registries.append(_set("GIVEN", py.DictDisplay(tuple(given))))
        body = (*self.globals.check_constants(self.body), *self.body, *registries)
        doc = f"Verifiers of the scenarios of {self.environment.name}."
        module = py.Module(banner(self.environment, digest), doc, (*self._imports(body), *body))
        return finished(print_module(module))

    def name(self, wanted: str) -> str:
        """A name of the module's own."""
        made = free(wanted if wanted.isidentifier() else "check", self.taken)
        self.taken.add(made)
        return made

    def _declare_invariants(self) -> None:
        tools = [each for each in self.environment.functions if each.kind == "tool"]
        written = {name for tool in tools for name in tool.effects.writes}
        for each in self.environment.invariants:
            reads = reads_of(self.environment, each.condition)
            if not self.environment.scenarios or not written.intersection(reads):
                continue
            lowered = lower_body(each.condition, (), self.globals)
            self.imported |= lowered.used
            doc = (py.Docstring(each.description),) if each.description else ()
            name = self.name(each.name)
            state = py.Parameter("state", py.Name("State"))
            self.body.append(py.Function(name, (state,), py.Name("bool"), (*doc, *lowered.body)))
            self.invariants.append((each, name, reads))

    def _imports(self, body: tuple[py.Statement, ...]) -> tuple[py.ImportFrom, ...]:
        used = {*names_in(body), *_annotations(body)}
        modules: dict[str, list[str]] = {}
        for name in sorted(used & _OWN.keys(), key=_import_order):
            modules.setdefault(_OWN[name], []).append(name)
        made = [
            py.ImportFrom(module, tuple((name, None) for name in names))
            for module, names in modules.items()
        ]
        constants = self.globals.default_constants()
        defaults = [name for made in constants for name in names_in(made.targets)]
        own = {*self.globals.constants.values(), *defaults, "State"}
        names = [(name, None) for name in used & own]
        aliased = [
            (original, None if original == name else name)
            for name, original in self.originals.items()
            if name in used
        ]
        members = sorted(
            [*names, *aliased], key=lambda m: (not m[0].isupper(), not m[0][0].isupper(), m[0])
        )
        plain = tuple(member for member in members if member[1] is None)
        if plain:
            made.append(py.ImportFrom(".tools", plain))
        made += [py.ImportFrom(".tools", (member,)) for member in members if member[1] is not None]
        return (*imports(self.imported), *made)


def reads_of(environment: core.EnvironmentDef, condition: core.Expr) -> tuple[str, ...]:
    """The tables and scalars that an expression reads, itself or through functions."""
    functions = {function.name: function for function in environment.functions}
    found = set(own_effects(condition).reads)
    for call in calls(condition):
        found.update(functions[call.name].effects.reads)
    return tuple(sorted(found))


class _Verifier:
    """The function of one scenario."""

    def __init__(self, module: _Module, scenario: core.ScenarioDef, name: str) -> None:
        self.module = module
        self.scenario = scenario
        self.name = name
        self.places: dict[int, py.Expr] = {}
        self.symbols: dict[int, core.Symbol] = {}
        self.locals: dict[int, str] = {}
        self.used: dict[int, None] = {}
        for target in scenario.targets:
            binding = py.Subscript(py.dotted("task.bindings"), (py.Str(target.name),))
            self._bind(target, binding)
        steps = [step for turn in scenario.turns for step in turn.steps]
        for index, step in enumerate(steps):
            if step.binder is not None:
                self._bind(step.binder, py.call("planned", py.Name("run"), py.number(index)))

    def _bind(self, symbol: core.Symbol, value: py.Expr) -> None:
        taken = {*self.module.taken, *self.locals.values()}
        self.locals[id(symbol)] = free(symbol.name, taken)
        self.symbols[id(symbol)] = symbol
        self.places[id(symbol)] = value

    def function(self) -> py.Function:
        goals, guards = self.goals(), self.guards()
        reward = self.reward(goals, guards)
        body: list[py.Statement] = [
            py.Docstring(self.scenario.description or f"Judge `{self.scenario.name}`."),
            _MATCH,
            *self._assigned(self.name, self.used),
        ]
        if goals:
            body.append(_set("goals", py.ListDisplay(tuple(goals))))
        if guards:
            body.append(_set("guards", py.ListDisplay(tuple(guards))))
        body.append(py.Return(reward))
        return py.Function(self.name, _EPISODE, py.Name("Verdict"), tuple(body))

    def given(self) -> Iterator[tuple[int, str]]:
        """The functions of what later turns change, by turn."""
        known = list(self.scenario.targets)
        for number, turn in enumerate(self.scenario.turns):
            if number and turn.given:
                yield number, self._given(number, turn.given, known)
            known += [step.binder for step in turn.steps if step.binder is not None]

    def _given(self, number: int, block: core.Block, known: Sequence[core.Symbol]) -> str:
        lowered = lower_body(block, tuple(known), self.module.globals)
        self.module.imported |= lowered.used
        read = set(names_in(lowered.body))
        pairs = zip(known, lowered.parameters, strict=True)
        used = [(symbol, name) for symbol, name in pairs if name in read]
        changes = self.module.name(f"change_{self.scenario.name}_{number + 1}")
        parameters = tuple(py.Parameter(name) for name in ("state", *(name for _, name in used)))
        self.module.body.append(py.Function(changes, parameters, None, lowered.body))
        given = self.module.name(f"given_{self.scenario.name}_{number + 1}")
        values = [py.Name(self.locals[id(symbol)]) for symbol, _ in used]
        assigned = tuple(self._assigned(given, {id(symbol) for symbol, _ in used}))
        body = (
            py.Docstring(f"What changes before turn {number + 1} of `{self.scenario.name}`."),
            *((_MATCH,) if "run" in names_in(assigned) else ()),
            *assigned,
            py.ExprStatement(py.call(changes, py.dotted("episode.state"), *values)),
        )
        self.module.body.append(py.Function(given, _EPISODE, py.NONE, body))
        return given

    def _assigned(self, function: str, used: Collection[int]) -> Iterator[py.Statement]:
        """The names of the scenario that a function uses."""
        for key, local in self.locals.items():
            if key in used:
                kind = self.symbols[key].type
                value = self._converted(f"{function}_{local}", kind, self.places[key])
                yield _set(local, value)

    def reward(self, goals: Sequence[py.Expr], guards: Sequence[py.Expr]) -> py.Expr:
        arguments: list[py.Expr] = [py.Name("run")]
        arguments.append(py.Name("goals") if goals else py.ListDisplay(()))
        reward = self.scenario.reward
        if guards:
            arguments.append(py.Name("guards"))
        elif reward.expression is not None:
            arguments.append(py.ListDisplay(()))
        if reward.expression is None:
            return py.call(reward.name, *arguments)
        symbols = _locals_of(reward.expression)
        lowered = lower_body(reward.expression, symbols, self.module.globals)
        self.module.imported |= lowered.used
        goals_by_name = {
            name: py.call("goal", py.Str(symbol.name))
            for symbol, name in zip(symbols, lowered.parameters, strict=True)
        }
        value = substitute(_returned(lowered.body), goals_by_name)
        return py.call("weighted", *arguments, py.Lambda(("goal",), value))

    # ------------------------------------------------------------ goals

    def goals(self) -> list[py.Expr]:
        scenario = self.scenario
        kinds = {check.kind for check in scenario.checks}
        made: list[py.Expr] = []
        if any(turn.steps for turn in scenario.turns):
            made += self._steps("steps" in kinds)
        for number, turn in enumerate(scenario.turns):
            for check in turn.checks:
                made += self._goal(check, number)
        if "state" not in kinds and not scenario.only:
            made += self._default_state()
        for check in scenario.checks:
            made += self._goal(check, None)
        made += self._answers()
        return made

    def _steps(self, asked: bool) -> list[py.Expr]:
        turns = [
            number
            for number, turn in enumerate(self.scenario.turns)
            if turn.steps and (asked or self._has_default(turn, "steps"))
        ]
        if len(turns) == sum(bool(turn.steps) for turn in self.scenario.turns):
            return [py.Star(_on_run("steps"))]
        return [py.Star(_on_run("steps", turn=py.number(number))) for number in turns]

    def _has_default(self, turn: core.TurnDef, kind: str) -> bool:
        asked = any(check.kind == kind for check in turn.checks)
        return asked or not (turn.only or self.scenario.only)

    def _default_state(self) -> list[py.Expr]:
        writes = self.module.writes.get(self.scenario.name, "none")
        if writes == "none":
            return []
        goal = _on_run("state")
        if writes == "all":
            return [goal]
        one = py.ListDisplay((goal,))
        return [py.Star(py.IfElse(py.dotted("task.state"), one, py.ListDisplay(())))]

    def _answers(self) -> list[py.Expr]:
        turns = self.scenario.turns
        answered = [number for number, turn in enumerate(turns) if turn.answer is not None]
        of_all = next((check for check in self.scenario.checks if check.kind == "answer"), None)
        made: list[py.Expr] = []
        for number in answered:
            own = (check for check in turns[number].checks if check.kind == "answer")
            asked = next(own, of_all)
            if asked is not None or self._has_default(turns[number], "answer"):
                where = {} if len(answered) == 1 else _in(number)
                made.append(_on_run("answer", **where, **_options(asked)))
        return made

    def _goal(self, check: core.CheckDef, turn: int | None) -> list[py.Expr]:
        make = _GOALS.get(check.kind)
        return [make(self, check, turn)] if make else []

    def _state(self, check: core.CheckDef, turn: int | None) -> py.Expr:
        keywords: dict[str, py.Expr] = {}
        if check.names:
            keywords["ignore"] = py.ListDisplay(tuple(map(py.Str, check.names)))
        return _on_run("state", **keywords, **_in(turn), **_options(check))

    def _check(self, check: core.CheckDef, turn: int | None) -> py.Expr:
        assert check.condition is not None
        holds = py.Lambda((), self.value(check.condition, check.name, turn))
        description = (py.Str(check.description),) if check.description else ()
        return py.call("check", py.Str(check.name), holds, *description, **_options(check))

    def _called(self, check: core.CheckDef, turn: int | None) -> py.Expr:
        keywords = {} if check.times is None else {"times": py.number(check.times)}
        return self._about_calls("called", check, turn, keywords)

    def _about_calls(
        self,
        function: str,
        check: core.CheckDef,
        turn: int | None,
        keywords: Mapping[str, py.Expr],
    ) -> py.Expr:
        given = tuple(
            (py.Str(name), self.value(value, f"{check.tool}_{name}", turn))
            for name, value in check.arguments
        )
        arguments = (py.DictDisplay(given),) if given else ()
        return py.call(
            function,
            py.Name("run"),
            py.Str(check.tool),
            *arguments,
            **keywords,
            **_in(turn),
            **_options(check),
        )

    # ------------------------------------------------------------ guards

    def guards(self) -> list[py.Expr]:
        turns = self.scenario.turns
        made: list[py.Expr] = []
        if turns and all(turn.plan_none for turn in turns):
            made.append(_on_run("no_call"))
        else:
            made += [
                _on_run("no_call", turn=py.number(number))
                for number, turn in enumerate(turns)
                if turn.plan_none
            ]
        for check in self.scenario.checks:
            made += self._guard(check, None)
        for number, turn in enumerate(turns):
            for check in turn.checks:
                made += self._guard(check, number)
        for each, name, reads in self.module.invariants:
            places = py.ListDisplay(tuple(map(py.Str, reads)))
            made.append(_on_run("invariant", py.Str(each.name), py.Name(name), places))
        return made

    def _guard(self, check: core.CheckDef, turn: int | None) -> list[py.Expr]:
        make = _GUARDS.get(check.kind)
        return [make(self, check, turn)] if make else []

    def _never(self, check: core.CheckDef, turn: int | None) -> py.Expr:
        return self._about_calls("never", check, turn, {})

    def _unchanged(self, check: core.CheckDef, turn: int | None) -> py.Expr:
        return _on_run("unchanged", py.ListDisplay(tuple(map(py.Str, check.names))), **_in(turn))

    def _order(self, check: core.CheckDef, turn: int | None) -> py.Expr:
        return _on_run("order", **_in(turn))

    def _constraint(self, check: core.CheckDef, turn: int | None) -> py.Expr:
        assert check.condition is not None
        span = check.condition.span
        source = " ".join(self.module.text[span.start : span.end].split()) or "constraint"
        holds = py.Lambda(("seen",), self.value(check.condition, "constraint", turn))
        return _on_run("constraint", py.Str(source), holds, **_in(turn))

    # ------------------------------------------------------------ values

    def value(self, body: core.Expr, hint: str, turn: int | None) -> py.Expr:
        """An expression of the spec, in place where Python has it as one that can stand there,
        else as a call of a function of its own."""
        symbols = [
            symbol
            for symbol in _locals_of(body)
            if id(symbol) in self.locals or isinstance(symbol, core.Measure)
        ]
        lowered = lower_body(body, symbols, self.module.globals)
        self.module.imported |= lowered.used
        state = py.dotted("episode.state")
        if turn is not None:
            state = _on_run("state_after", py.number(turn))
        given: list[py.Expr] = []
        replaced: dict[str, py.Expr] = {"state": state}
        same_names = True
        for symbol, name in zip(symbols, lowered.parameters, strict=True):
            if isinstance(symbol, core.Measure):
                replaced[name] = _measured(symbol)
                given.append(replaced[name])
            else:
                self.used[id(symbol)] = None
                given.append(py.Name(self.locals[id(symbol)]))
                same_names = same_names and name == self.locals[id(symbol)]
        others = {*self.locals.values(), "episode", "run", "seen"} - set(lowered.parameters)
        returned = lowered.body[0] if len(lowered.body) == 1 else None
        if (
            isinstance(returned, py.Return)
            and returned.value is not None
            and same_names
            and not others.intersection(names_in(returned.value))
        ):
            made: py.Expr = substitute(returned.value, replaced)
            return made
        helper = self.module.name(f"{self.scenario.name}_{hint}")
        parameters = tuple(py.Parameter(name) for name in ("state", *lowered.parameters))
        self.module.body.append(py.Function(helper, parameters, None, lowered.body))
        return py.call(helper, state, *given)

    def _converted(self, place: str, kind: Type, value: py.Expr) -> py.Expr:
        """A value that JSON holds in another form than the runtime, read as its type's schema
        reads it."""
        if not stored_otherwise(kind):
            return value
        module = self.module
        scalar = core.ScalarDef(self.scenario.span, "value", kind, None)
        schemas = plain(state_schemas(module.environment.replace(tables=(), scalars=(scalar,))))
        name = module.name(f"READ_{place}".upper())
        arguments = [data.expression(schemas["state"]["value"])]
        if schemas["$defs"]:
            arguments.append(data.expression(schemas["$defs"]))
        module.body.append(_set(name, py.call("compile_schema", *arguments)))
        return py.call(name, value, py.TupleDisplay(()), py.ListDisplay(()))


_Make = Callable[[_Verifier, core.CheckDef, int | None], py.Expr]
_GOALS: dict[str, _Make] = {
    "state": _Verifier._state,
    "check": _Verifier._check,
    "called": _Verifier._called,
}
_GUARDS: dict[str, _Make] = {
    "never": _Verifier._never,
    "unchanged": _Verifier._unchanged,
    "order": _Verifier._order,
    "constraint": _Verifier._constraint,
}


def has_goals(scenario: core.ScenarioDef, writes: Writes) -> bool:
    """Whether there is anything to achieve; a scenario in which nothing is to be called has not."""
    if all(turn.plan_none for turn in scenario.turns):
        return True
    checks = [*scenario.checks, *(check for turn in scenario.turns for check in turn.checks)]
    if any(check.kind in ("check", "called", "state", "steps", "answer") for check in checks):
        return True
    if scenario.only:
        return False
    open_turns = [turn for turn in scenario.turns if not turn.only]
    return writes != "none" or any(turn.steps or turn.answer is not None for turn in open_turns)


def stored_otherwise(kind: Type) -> bool:
    """Whether values of a type have another form in JSON than at run time."""
    return _stored_otherwise(kind, set())


def _stored_otherwise(kind: Type, seen: set[str]) -> bool:
    bare = t.strip(kind)
    if isinstance(bare, t.Scalar):
        return bare.name in _STORED_OTHERWISE
    if isinstance(bare, t.Optional):
        return _stored_otherwise(bare.inner, seen)
    if isinstance(bare, t.List):
        return _stored_otherwise(bare.item, seen)
    if isinstance(bare, t.Dict):
        return not t.is_text(bare.key) or _stored_otherwise(bare.value, seen)
    if isinstance(bare, t.Union):
        return any(_stored_otherwise(case, seen) for case in bare.cases.values())
    if isinstance(bare, (t.Record, t.Case)):
        name = str(bare)
        if name in seen:
            return False
        seen.add(name)
        return any(_stored_otherwise(member.type, seen) for member in bare.members)
    return False


def substitute(tree: Any, values: Mapping[str, py.Expr]) -> Any:
    """The tree with expressions in place of names."""
    if isinstance(tree, py.Name):
        return values.get(tree.id, tree)
    if isinstance(tree, tuple):
        return tuple(substitute(member, values) for member in tree)
    if isinstance(tree, Node):
        return tree.replace(
            **{name: substitute(getattr(tree, name), values) for name in tree.fields}
        )
    return tree


def _locals_of(body: core.Expr) -> tuple[core.Symbol, ...]:
    """The symbols that an expression refers to and does not bind itself."""
    found: dict[int, core.Symbol] = {}
    bound: set[int] = set()
    for node in nodes(body):
        if isinstance(node, core.Local):
            found.setdefault(id(node.symbol), node.symbol)
        elif isinstance(node, core.ForIn):
            bound.update(map(id, node.targets))
        elif isinstance(node, core.WalkOf):
            bound.add(id(node.binder))
    return tuple(sorted((s for key, s in found.items() if key not in bound), key=lambda s: s.name))


def _import_order(name: str) -> tuple[bool, bool, str]:
    return not name.isupper(), not name[0].isupper(), name


def _annotations(body: Iterable[Any]) -> set[str]:
    functions = [each for each in body if isinstance(each, py.Function)]
    annotated = [p.annotation for f in functions for p in f.parameters] + [
        f.result for f in functions
    ]
    return {name for each in annotated if each is not None for name in names_in(each)}


def _returned(body: py.Block) -> py.Expr:
    (statement,) = body
    assert isinstance(statement, py.Return) and statement.value is not None
    return statement.value


def _on_run(function: str, *arguments: py.Expr, **keywords: py.Expr) -> py.Call:
    return py.call(function, py.Name("run"), *arguments, **keywords)


def _measured(symbol: core.Measure) -> py.Expr:
    if symbol.tool:
        return py.call("seen.calls_of", py.Str(symbol.tool))
    return py.dotted(f"seen.{symbol.name}")


def _options(check: core.CheckDef | None) -> dict[str, py.Expr]:
    """How a goal is taken otherwise than usual."""
    if check is None:
        return {}
    options: dict[str, py.Expr] = {}
    if check.unordered:
        options["unordered"] = py.Literal("True")
    if check.within:
        options["within"] = py.number(check.within)
    if check.weight != 1:
        options["weight"] = py.number(check.weight)
    return options


def _in(turn: int | None) -> dict[str, py.Expr]:
    return {} if turn is None else {"turn": py.number(turn)}


def _set(name: str, value: py.Expr) -> py.Statement:
    return py.Assign((py.Name(name),), value)


_EPISODE = (py.Parameter("episode", py.Name("Episode")), py.Parameter("task", py.Name("Task")))
_MATCH = _set("run", py.call("match", py.Name("episode"), py.Name("task")))
