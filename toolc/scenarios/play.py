"""Playing a task's plan: what every step gives, and what it shows of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any, NamedTuple

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.node import Span
from toolc.scenarios.access import access, reads
from toolc.scenarios.dependencies import Access, by_names, by_state, closure, symbols
from toolc.scenarios.family import Member
from toolc.scenarios.findings import Broken, Findings
from toolc.scenarios.free import (
    Path,
    Playing,
    as_in,
    called,
    places,
    repeated,
    seen,
    state_of,
)
from toolc.scenarios.pieces import invariant, part
from toolc.scenarios.probe import MOST, Keys, alternatives
from toolc.scenarios.rows import Reversal, unordered
from toolc.scenarios.stage import Failed, Stage
from toolc_runtime.budget import check_weight
from toolc_runtime.episode import Episode
from toolc_runtime.errors import BudgetExceeded, Fail
from toolc_runtime.state import Base, State, Write, changes, derive, scalars_of, settle
from toolc_runtime.trace import Call
from toolc_runtime.values import canonical, duration_text, plain
from toolc_runtime.verify import encode_changes
from toolc_runtime.verify.equality import same

Json = dict[str, Any]

_UNTOUCHED: Access = Access(frozenset(), frozenset())
_CANDIDATES = 200
"""Rows of a table whose other keys are candidates for an answer that is one of its keys; texts
of a column whose others are."""
_LONGEST = 60
_ROWS = 2_000


MAX_ANSWER = 10_000
"""Characters of an answer: no model writes more, and each part is looked for in its text."""


class Played(NamedTuple):
    """A task whose plan went through. `turns` are as in scenarios.jsonl; `after` holds the
    dependencies of each step; `arguments` is their number, over all steps."""

    task: str
    member: Member
    bindings: Json
    system: str | None
    given: Json
    clock: str | None
    turns: list[Json]
    after: list[list[int]]
    state: Json
    fresh: tuple[str, ...]
    arguments: int
    fixed_seed: bool
    """Whether a step drew something other than an id."""
    open: list[Path]
    """Places of the state that free arguments determine."""


class Cast(NamedTuple):
    """What all tasks of one scenario share. `keys` are those of each table, as JSON; `used` holds
    what each argument was elsewhere; `pinned` the arguments that are known to be pinned.
    `columns` are the texts that stand in one place of the data."""

    stage: Stage
    number: int
    scenario: core.ScenarioDef
    keys: Keys
    findings: Findings
    columns: Sequence[list[str]]
    used: dict[tuple[str, str], list[Any]]
    pinned: dict[int, set[str]]
    reversal: Reversal


def play(cast: Cast, member: Member, task: str, trials: int = MOST) -> Played | None:
    """Plays the plan of one task; None where it cannot be played through, for the reason that
    is then among the findings. `trials` is how many other values of an argument are tried."""
    try:
        return _Player(cast, member, task, trials).play()
    except Broken:
        return None


class _Done(NamedTuple):
    """A step that was played: its line so far, the episode before it, and the ids that it drew."""

    step: core.StepDef
    given: Json
    line: Json
    before: Episode
    fresh: tuple[str, ...]


class _Player:
    """One task in the making."""

    def __init__(self, cast: Cast, member: Member, task: str, trials: int) -> None:
        self.cast = cast
        self.trials = trials
        self.stage = cast.stage
        self.scenario = cast.scenario
        self.member = member
        self.task = task
        self.values: list[Any] = list(member.values)
        self.accesses: list[Access] = []
        self.by_names: list[set[int]] = []
        self.binders: list[core.Symbol | None] = []
        self.arguments = 0
        self.fixed_seed = False
        self.has_free = any(step.free for turn in cast.scenario.turns for step in turn.steps)
        self.done: list[_Done] = []
        self.states: list[Json] = []

    def play(self) -> Played:
        scenario = self.scenario
        start = self._start()
        self.episode = self.stage.episode(start)
        state = self.episode.state
        system = self._text("system", scenario.system, state)
        turns = [self._turn(number, turn) for number, turn in enumerate(scenario.turns)]
        self._turn_rows(start, turns)
        after = self._after()
        for number, step in enumerate(step for turn in turns for step in turn["steps"]):
            step["after"] = after[number]
        base = self.stage.base
        return Played(
            self.task,
            self.member,
            {
                symbol.name: plain(value)
                for symbol, value in zip(scenario.targets, self.member.values, strict=True)
            },
            system,
            self.given,
            None if start.clock == base.clock else start.clock.isoformat(),
            turns,
            after,
            encode_changes(self.episode.changes()),
            self.episode.fresh,
            self.arguments,
            self.fixed_seed,
            self._open(start, turns),
        )

    # ------------------------------------------------------------ where it starts

    def _start(self) -> Base:
        """The state after the scenario's `given` and that of the first turn."""
        state = self.stage.state(self.stage.base)
        first = self.scenario.turns[0] if self.scenario.turns else None
        for place, block in (
            (("given",), self.scenario.given),
            (("t0", "given"), first.given if first else ()),
        ):
            if block:
                self._given(place, block, state)
        self.given = changes(state)
        if self.given:
            self._check_invariants(state, "after `given`", self.scenario.span)
        return derive(state)

    def _given(self, place: Iterable[object], block: core.Block, state: State) -> None:
        """Runs the `given` that comes before anything else."""
        try:
            self._written(place, state, self.values)
        except Failed as failure:
            raise self._given_failed(block, failure) from None

    def _given_failed(self, block: core.Block, failure: Failed) -> Broken:
        span = block[0].span.to(block[-1].span)
        return self._broken("TC0613", span, what="`given`", failure=str(failure))

    def _written(
        self, place: Iterable[object], state: State, values: Sequence[Any]
    ) -> tuple[Write, ...]:
        """Runs a `given`. Raises `Failed`."""
        before = scalars_of(state, self.stage.scalars)
        self.stage.evaluate(part(self.cast.number, *place), state, *values)
        try:
            return settle(state, self.stage.scalars, before)
        except Fail as beyond:
            raise Failed(beyond.value) from None

    def _change(self, episode: Episode, number: int, values: Sequence[Any]) -> tuple[Write, ...]:
        """Runs the `given` of a later turn, as episodes do. Raises `Failed`."""
        draws = episode.state._toolc.draws
        with draws.planned(draws.seed, number):
            writes = self._written((f"t{number}", "given"), episode.state, values)
        draws.settle()
        return writes

    def _between(self, number: int, turn: core.TurnDef) -> Json:
        """The `given` of a later turn, as it is made in the middle of the episode."""
        if not turn.given or number == 0:
            return {}
        state = self.episode.state
        clock = state._toolc.clock
        span = turn.given[0].span.to(turn.given[-1].span)
        try:
            writes = self._change(self.episode, number, self.values)
        except Failed as failure:
            raise self._given_failed(turn.given, failure) from None
        call = Call("", {}, None, "ok", writes, number, 0)
        made: Json = {}
        if writes:
            made["given"] = encode_changes(call.writes)
            self._check_invariants(state, "after `given`", span)
        moved: timedelta = state._toolc.clock - clock
        if moved:
            made["advance"] = duration_text(moved)
        return made

    # ------------------------------------------------------------ turns and steps

    def _turn(self, number: int, turn: core.TurnDef) -> Json:
        between = self._between(number, turn)
        user = self._text(f"t{number}_user", turn.user, self.episode.state)
        line: Json = {"user": user, **between}
        line["steps"] = [
            self._step((f"t{number}", f"step{index}"), step)
            for index, step in enumerate(turn.steps)
        ]
        if turn.answer is not None:
            self._answer(number, turn.answer, line)
        if turn.reply is not None:
            place = (f"t{number}", "reply")
            line["reply"] = self._evaluate(place, turn.reply.span, "the reply", self.episode.state)
        if any(check.kind == "state" for check in turn.checks):
            line["state"] = encode_changes(self.episode.changes())
        if self.has_free:
            self.states.append(state_of(self.episode))
        return line

    def _step(self, place: tuple[str, str], step: core.StepDef) -> Json:
        state = self.episode.state
        question = self._text("_".join((*place, "question")), step.question, state)
        values = self._evaluate((*place, "arguments"), step.span, "an argument", state)
        names = [name for name, _ in step.arguments]
        given = {name: plain(value) for name, value in zip(names, values, strict=True)}
        before = self.episode.fork()
        self.episode.call(step.tool, given)
        call = self.episode.trace[-1]
        self._expect(place, step, call)
        if call.writes:
            self._check_invariants(self.episode.state, f"after `{step.tool}`", step.span)
        drawn = len(self.episode.draws) - len(before.draws)
        self.fixed_seed |= drawn > len(self.episode.fresh) - len(before.fresh)
        index = len(self.binders)
        self._note_access(before, step, call)
        done = _Done(step, given, called(call), before, self.episode.fresh[len(before.fresh) :])
        self.done.append(done)
        self._pin(index, done)
        used = symbols(tuple(value for _, value in step.arguments))
        self.by_names.append(by_names(used, self.binders))
        self.binders.append(step.binder)
        if step.binder is not None:
            self.values.append(call.result)
        self.arguments += len(given)
        made = dict(done.line)
        shown = {"tool": made.pop("tool"), "arguments": made.pop("arguments")}
        line = {"question": question or "", **shown, "pinned": [], **made, "after": []}
        return line | {"free": list(step.free)} if step.free else line

    def _expect(self, place: tuple[str, str], step: core.StepDef, call: Call) -> None:
        """Holds what a step gave against what the spec says of it."""
        tool = step.tool
        if call.status == "rejected":
            raise self._broken(
                "TC0605", step.span, tool=tool, reason=call.result["error"]["message"]
            )
        if call.status == "failed" and step.fails:
            if step.error is not None:
                span = step.error.span
                expected = self._evaluate(
                    (*place, "error"), span, "the expected failure", self.episode.state
                )
                if not same(plain(expected), plain(call.result)):
                    shown = {"expected": _shown(expected), "failure": _shown(call.result)}
                    raise self._broken("TC0603", span, tool=tool, **shown)
        elif call.status != "ok":
            failure = call.result if call.status == "failed" else call.result["error"]["message"]
            raise self._broken("TC0601", step.span, tool=tool, failure=_shown(failure))
        elif step.fails:
            raise self._broken("TC0602", step.span, tool=tool, result=_shown(call.result))
        elif step.equals is not None:
            span = step.equals.span
            expected = self._evaluate(
                (*place, "equals"), span, "the expected result", self.episode.state
            )
            if not same(plain(expected), plain(call.result)):
                shown = {"expected": _shown(expected), "result": _shown(call.result)}
                raise self._broken("TC0604", span, tool=tool, **shown)

    def _note_access(self, before: Episode, step: core.StepDef, call: Call) -> None:
        """What the step read and wrote, where the plan has steps that may write."""
        tools = self.stage.environment.tools
        plan = [each.tool for turn in self.scenario.turns for each in turn.steps]
        if len(plan) == 1 or not any(tools[name].writes for name in plan):
            self.accesses.append(_UNTOUCHED)
            return
        names = self.stage.environment._prepared[step.tool].names
        values = [call.arguments.get(name) for name in names]
        read = reads(step.tool, tools[step.tool], before.state, values)
        self.accesses.append(access(read, call.writes))

    def _after(self) -> list[list[int]]:
        through = by_state(self.accesses)
        return [sorted(names | state) for names, state in zip(self.by_names, through, strict=True)]

    # ------------------------------------------------------------ pinned arguments

    def _pin(self, index: int, done: _Done, open_: Sequence[Path] = ()) -> None:
        """Finds the arguments that could be others without the step showing it."""
        pinned = self.cast.pinned.setdefault(index, set())
        step, given = done.step, done.given
        shown = seen(done.line, open_, done.fresh, done.fresh)
        for name, value in given.items():
            used = self.cast.used.setdefault((step.tool, name), [])
            if name not in pinned and name not in step.free:
                for other in self._alternatives(step, name, value)[: self.trials]:
                    trial = done.before.fork()
                    trial.call(step.tool, {**given, name: other})
                    call = trial.trace[-1]
                    drawn = trial.fresh[len(done.before.fresh) :]
                    if (
                        call.status in ("ok", "failed")
                        and seen(called(call), open_, drawn, done.fresh) == shown
                    ):
                        pinned.add(name)
                        break
            if len(used) < 8 and value not in used:
                used.append(value)

    def _alternatives(self, step: core.StepDef, name: str, value: Any) -> list[Any]:
        function = self.stage.definition.tool(step.tool)
        fields = {each.field.name: each.field for each in function.parameters} if function else {}
        if value is None:
            return []
        used = self.cast.used.setdefault((step.tool, name), [])
        return alternatives(fields[name], value, self.cast.keys, used)

    # ------------------------------------------------------------ free arguments

    def _open(self, start: Base, turns: Sequence[Json]) -> list[Path]:
        """Notes in the turns and their steps what free arguments determine; the same of the final
        state."""
        if not self.has_free:
            return []
        found = [dict.fromkeys(self._repeated(done)) for done in self.done]
        states: list[dict[Path, None]] = [{} for _ in turns]
        mine = Playing(tuple(d.line for d in self.done), tuple(self.states), self.episode.fresh)
        for step in (1, -1):
            again = self._again(start, step)
            other = as_in(mine, again) if again else None
            if other is None:
                continue
            for index, (done, call) in enumerate(zip(self.done, other.calls, strict=True)):
                found[index].update(dict.fromkeys(_of_call(done, call)))
            for at_end, state, another in zip(states, mine.states, other.states, strict=True):
                at_end.update(dict.fromkeys(places(state, another)))
        lines = [step for turn in turns for step in turn["steps"]]
        for index, (line, open_) in enumerate(zip(lines, found, strict=True)):
            if open_:
                line["open"] = list(open_)
                self._pin(index, self.done[index], list(open_))
        for turn, at_end in zip(turns, states, strict=True):
            if at_end and "state" in turn:
                turn["open"] = list(at_end)
        return list(states[-1]) if states else []

    def _repeated(self, done: _Done) -> Iterator[Path]:
        """Where a step that writes nothing repeats its free arguments."""
        outcome = "failure" if done.step.fails else "result"
        for name in done.step.free if not done.line["writes"] else ():
            value = done.line["arguments"].get(name)
            for other in self._alternatives(done.step, name, value):
                trial = done.before.fork()
                trial.call(done.step.tool, {**done.given, name: other})
                line = called(trial.trace[-1])
                if _alike(done.line, trial.trace[-1]):
                    for path in repeated(done.line[outcome], line[outcome], value, other):
                        yield (outcome, *path)

    def _again(self, start: Base, step: int) -> Playing | None:
        """Plays the plan with other values of the free arguments of steps that write: the first
        ones that do, or for `step` -1 the last ones. None where it does not go through."""
        episode = self.stage.episode(start)
        states: list[Json] = []

        def vary(done: _Done, given: Json) -> Json:
            return self._varied(episode, done, given, step) if done.line["writes"] else given

        try:
            for _ in self._rehearse(episode, vary):
                states.append(state_of(episode))
        except Failed:
            return None
        return Playing(tuple(map(called, episode.trace)), tuple(states), episode.fresh)

    def _rehearse(
        self, episode: Episode, vary: Callable[[_Done, Json], Json]
    ) -> Iterator[tuple[int, list[Any]]]:
        """Plays the plan once more, with arguments that are varied: at the end of each turn its
        number, and what the names of the plan stand for. Raises `Failed`, also where a step ends
        otherwise than it did."""
        values = list(self.member.values)
        for number, turn in enumerate(self.scenario.turns):
            if number and turn.given:
                self._change(episode, number, values)
            for index, each in enumerate(turn.steps):
                place = part(self.cast.number, f"t{number}", f"step{index}", "arguments")
                made = self.stage.evaluate(place, episode.state, *values)
                names = [name for name, _ in each.arguments]
                given = {n: plain(value) for n, value in zip(names, made, strict=True)}
                done = self.done[len(episode.trace)]
                episode.call(each.tool, vary(done, given))
                call = episode.trace[-1]
                if not _alike(done.line, call):
                    raise Failed(plain(call.result))
                if each.binder is not None:
                    values.append(call.result)
            yield number, values

    def _varied(self, episode: Episode, done: _Done, given: Json, order: int) -> Json:
        """The arguments with other values of the free ones, as far as the tool takes them."""
        for name in done.step.free:
            value = done.line["arguments"].get(name)
            for other in self._alternatives(done.step, name, value)[::order]:
                trial = episode.fork()
                trial.call(done.step.tool, {**given, name: other})
                if trial.trace[-1].writes and trial.trace[-1].status == "ok":
                    given = {**given, name: other}
                    break
        return given

    # ------------------------------------------------------------ answers

    def _answer(self, number: int, answer: core.Expr, line: Json) -> None:
        value = self._evaluate(
            (f"t{number}", "answer"), answer.span, "the answer", self.episode.state
        )
        try:
            check_weight(value, MAX_ANSWER)
        except BudgetExceeded as failure:
            found = {"what": "the answer", "failure": f"`{failure.value}`"}
            raise self._broken("TC0613", answer.span, **found) from None
        line["answer"] = plain(value)
        line["answer_type"] = _spelled(answer.type)
        rests_on = closure(self.by_names, by_names(symbols(answer), self.binders))
        line["answer_rests_on"] = rests_on
        results = [plain(call.result) for call in self.episode.trace]
        places = [*self.cast.columns, *_places(results)]
        keys = _grown(self.cast.keys, encode_changes(self.episode.changes()))
        candidates = _candidates(line["answer"], answer.type, keys, places)
        if candidates:
            line["answer_candidates"] = candidates
        if value is None or value in ("", [], {}):
            self.cast.findings.add(
                "TC0608", answer.span, self.task, answer=_EMPTY.get(type(value), "empty")
            )

    def _turn_rows(self, start: Base, turns: Sequence[Json]) -> None:
        """Notes in the turns what their answers are where the rows of the tables stand in reverse
        order, if they are others: then the question has more than one."""
        if not any("answer" in turn for turn in turns):
            return
        episode = self.stage.episode(self.cast.reversal.of(start))
        with suppress(Failed):
            for number, values in self._rehearse(episode, lambda done, given: given):
                if "answer" in turns[number]:
                    place = part(self.cast.number, f"t{number}", "answer")
                    other = plain(self.stage.evaluate(place, episode.state, *values))
                    if unordered(other) != unordered(turns[number]["answer"]):
                        turns[number]["answer_by_order"] = other

    # ------------------------------------------------------------ helpers

    def _text(self, place: str, text: core.Expr | None, state: State) -> str | None:
        if text is None:
            return None
        return str(self._evaluate((place,), text.span, "the text", state))

    def _evaluate(self, place: Iterable[object], span: Span, what: str, state: State) -> Any:
        try:
            return self.stage.evaluate(part(self.cast.number, *place), state, *self.values)
        except Failed as failure:
            raise self._broken("TC0613", span, what=what, failure=str(failure)) from None

    def _check_invariants(self, state: State, when: str, span: Span) -> None:
        for name in broken_invariants(self.stage, state):
            raise self._broken("TC0614", span, name=name, when=when)

    def _broken(self, code: str, span: Span, **values: Any) -> Broken:
        return self.cast.findings.broken(code, span, self.task, **values)


_EMPTY = {type(None): "null", str: "an empty text", list: "an empty list"}


def broken_invariants(stage: Stage, state: State) -> list[str]:
    """The names of the invariants that do not hold in a state; one that fails does not."""
    broken = []
    for index, each in enumerate(stage.definition.invariants):
        try:
            holds = stage.evaluate(invariant(index), state)
        except Failed:
            holds = False
        if not holds:
            broken.append(each.name)
    return broken


def _shown(value: Any, limit: int = 120) -> str:
    text = canonical(value)
    return f"`{text if len(text) <= limit else text[: limit - 1] + '…'}`"


def _alike(line: Json, call: Call) -> bool:
    """Whether a call ended as a step did."""
    return call.status == ("failed" if "failure" in line else "ok")


def _of_call(done: _Done, other: Json) -> Iterator[Path]:
    """Where a call differs from the step, of what matching compares."""
    line = done.line
    for name, value in line["arguments"].items():
        if name not in done.step.free:
            yield from places(value, other["arguments"].get(name), ("arguments", name))
    compared = "writes" if line["writes"] else "failure" if done.step.fails else "result"
    yield from places(line[compared], other[compared], (compared,))


def _candidates(answer: Any, kind: t.Type, keys: Keys, places: Sequence[list[str]]) -> list[str]:
    """Other texts that the answer could have been: its type's literals, its table's keys, else
    what else stands where it stands in the data and in what the plan's steps gave. For one that
    is empty, the first two alone."""
    values = list(_texts(answer))
    bare = t.strip(t.required(kind))
    member = t.required(bare.item) if isinstance(bare, t.List) else bare
    words = t.literal_values(member)
    pools: Sequence[Sequence[Any]] = [words] if words else list(_small(keys).values())
    if not values:
        if answer not in (None, [], {}):
            return []
        table = _small(keys).get(member.table, []) if isinstance(member, t.Ref) else []
        pools = [words or table]
    pools = [pool for pool in pools if all(value in pool for value in values)]
    if not pools:
        pools = [pool for pool in places if any(value in pool for value in values)]
    found = {
        text: None
        for pool in pools
        for text in pool
        if isinstance(text, str) and text not in values and len(text) > 1
    }
    return list(found)[:_CANDIDATES]


def _spelled(kind: t.Type, within: tuple[str, ...] = ()) -> str:
    """A type with aliases and records written out, so that it shows what scalars it is made of."""
    bare = t.strip(kind)
    if isinstance(bare, t.Optional):
        return f"{_spelled(bare.inner, within)}?"
    if isinstance(bare, t.List):
        return f"list[{_spelled(bare.item, within)}]"
    if isinstance(bare, t.Dict):
        return f"dict[{_spelled(bare.key, within)}, {_spelled(bare.value, within)}]"
    if isinstance(bare, t.Record) and bare.name not in within:
        inner = (*within, bare.name) if bare.name else within
        members = (f"{each.name}: {_spelled(each.type, inner)}" for each in bare.members)
        return "{" + ", ".join(members) + "}"
    return t.show(bare)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def columns(base: Base) -> list[list[str]]:
    """The different texts of each place in the rows of the tables, and in the scalars."""
    rows = {name: list(islice(each.rows.values(), _ROWS)) for name, each in base.tables.items()}
    return _places({**rows, **base.scalars})


def _places(value: Any) -> list[list[str]]:
    """The different texts of each place in a value. The members of a list are one place, and so
    are those of an object of objects. Places with too many or too long texts are left out."""
    found: dict[tuple[str, ...], dict[str, None]] = {}

    def visit(place: tuple[str, ...], value: Any) -> None:
        if isinstance(value, dict):
            several = len(value) > 1 and all(isinstance(inner, dict) for inner in value.values())
            for name, inner in value.items():
                visit((*place, "[]" if several else name), inner)
        elif isinstance(value, list):
            for inner in value:
                visit((*place, "[]"), inner)
        elif isinstance(value, str):
            found.setdefault(place, {})[value] = None

    visit((), value)
    return [
        list(texts)
        for texts in found.values()
        if 1 < len(texts) <= _CANDIDATES and max(map(len, texts)) <= _LONGEST
    ]


def _grown(keys: Keys, changes: Json) -> Keys:
    """The keys of the tables, with those of rows that were added since."""
    return {
        name: [*table, *(key for key in changes.get(name) or () if key not in table)]
        for name, table in _small(keys).items()
    }


def _small(keys: Keys) -> Mapping[str, Sequence[Any]]:
    return {name: table for name, table in keys.items() if len(table) <= _CANDIDATES}
