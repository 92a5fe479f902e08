"""The goals and guards that a verifier is made of. See the package for their signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from toolc_runtime.state import Table, differences
from toolc_runtime.values import key_text, plain
from toolc_runtime.verify.answers import Judgement
from toolc_runtime.verify.changes import Ignored, without
from toolc_runtime.verify.equality import OPEN, Renaming, difference, holds_open, same, show
from toolc_runtime.verify.matching import describe
from toolc_runtime.verify.plan import Step, answer_of
from toolc_runtime.verify.run import Run, state_after
from toolc_runtime.verify.seen import REACHED, Noted, Seen, plural
from toolc_runtime.verify.verdict import Check, Reason

_NOTHING: Mapping[str, Any] = {}
_ALL = Ignored(())
"""For states of which nothing is ignored."""


# ---------------------------------------------------------------- steps


def steps(run: Run, turn: int | None = None) -> list[Check]:
    """One goal a step, of one turn or of all."""
    chosen = run.plan.steps if turn is None else run.plan.turns[turn]
    calls = run.calls
    return [
        Check(
            step.name,
            "goal",
            0.0 if calls[step.index] is None else 1.0,
            (_step_reason, run, step),
            "steps",
        )
        for step in chosen
    ]


def _step_reason(run: Run, step: Step) -> str:
    question = f'"{step.question}" ' if step.question else ""
    return f"{question}({step.tool}): {describe(run, step)}"


# ---------------------------------------------------------------- state


def state(
    run: Run, ignore: Iterable[str] = (), turn: int | None = None, weight: float = 1.0
) -> Check:
    """The state's changes equal those of the plan, at the end of the episode or of a turn."""
    group = "state"
    if turn is None:
        name, wanted = group, run.plan.state
        found = run.episode.changes() if run.plan.moving else run.changes()
    else:
        name, wanted = f"state {turn + 1}", run.plan.states[turn]
        if len(run.texts) <= turn:
            return Check(name, "goal", 0.0, f"turn {turn + 1} did not end", group, weight)
        found = differences(state_after(run, turn))
    mark = run.ids.mark()
    problem = _compare_states(run, wanted, found, Ignored(ignore) if ignore else _ALL)
    run.ids.back(mark)
    if problem is None:
        return Check(name, "goal", 1.0, "the state is the plan's", group, weight)
    return Check(name, "goal", 0.0, problem, group, weight)


def _compare_states(
    run: Run, wanted: Mapping[str, Any], found: Mapping[str, Any], ignored: Ignored
) -> Reason | None:
    for name in (*wanted, *(name for name in found if name not in wanted)):
        if ignored.whole(name) or wanted.get(name) is OPEN:
            continue
        paths = ignored.within(name)
        change = found.get(name, _NOTHING)
        if type(change) is tuple or (not change and not _is_table(run, name)):
            problem = _compare_scalar(run, name, wanted, change, paths)
        else:
            rows = wanted.get(name, _NOTHING)
            problem = _compare_rows(run, name, rows, change, paths)
        if problem is not None:
            return problem
    return None


def _is_table(run: Run, name: str) -> bool:
    return isinstance(getattr(run.episode.state, name, None), Table)


def _compare_scalar(
    run: Run, name: str, wanted: Mapping[str, Any], change: Any, paths: list[list[str]]
) -> Reason | None:
    now = plain(change[1] if change else getattr(run.episode.state, name, None))
    then = wanted[name] if name in wanted else plain(change[0])
    for path in paths:
        now, then = without(now, path), without(then, path)
    if run.ids.unify(then, now):
        return None
    return (_state_reason, name, run.ids.apply(then), now)


def _compare_rows(
    run: Run,
    name: str,
    wanted: Mapping[str, Any],
    changed: Mapping[Any, tuple[Any, Any]],
    paths: list[list[str]],
) -> Reason | None:
    ids = run.ids
    rows = {key if type(key) is str else key_text(key): change for key, change in changed.items()}
    for key, then in wanted.items():
        label = key if ids.idle else _paired(ids, key, then, wanted, rows, paths)
        change = rows.pop(label, None)
        if then is OPEN:
            continue
        now = change[1] if change is not None else _unchanged_row(run, name, label, then, paths)
        if change is None and now is _UNKNOWN:
            return (_untouched_reason, name, label, then)
        if ids.idle and not paths and run.plan.row(name, key, then).matches(now):
            continue
        if _same_rows(ids, then, now, paths):
            continue
        return (_state_reason, f"{name}[{label}]", ids.apply(then), now)
    for key, (before, after) in rows.items():
        if not _same_rows(ids, plain(before), after, paths):
            return (_state_reason, f"{name}[{key}]", before, after)
    return None


def _same_rows(ids: Renaming, then: Any, now: Any, paths: list[list[str]]) -> bool:
    if not paths:
        return ids.unify(then, now)
    then, now = plain(then), plain(now)
    for path in paths:
        then, now = without(then, path), without(now, path)
    return ids.unify(then, now)


def _paired(
    ids: Renaming,
    key: str,
    then: Any,
    wanted: Mapping[str, Any],
    rows: Mapping[str, Any],
    paths: list[list[str]],
) -> str:
    """The key that a planned row has in the episode: that of its fresh id, where it is paired, or
    of the first row that is equal up to ids that are not paired yet."""
    label: str = ids.apply(key)
    if label in rows or not ids.mentions(key):
        return label
    for other, (_, now) in rows.items():
        if other in wanted:
            continue
        mark = ids.mark()
        if ids.unify(key, other) and _same_rows(ids, then, now, paths):
            return other
        ids.back(mark)
    return label


class _Unknown:
    """A row that the episode did not touch."""


_UNKNOWN = _Unknown()


def _unchanged_row(run: Run, name: str, label: str, then: Any, paths: list[list[str]]) -> Any:
    """A row that the episode left as it was: looked up only where rows are compared partly, so
    that it may be equal to the plan's all the same."""
    if not paths and not holds_open(then):
        return _UNKNOWN
    table = getattr(run.episode.state, name)
    return next((row for key, row in table.items() if key_text(key) == label), None)


def _state_reason(where: str, then: Any, now: Any) -> str:
    then, now = plain(then), plain(now)
    if now is None:
        return f"{where} is missing; the plan has {show(then)}"
    if then is None:
        return f"{where} should not exist"
    return f"{where}: {difference(then, now)}"


def _untouched_reason(name: str, label: str, then: Any) -> str:
    if then is None:
        return f"{name}[{label}] was not deleted"
    return f"{name}[{label}] is unchanged, and should be {show(then)}"


# ---------------------------------------------------------------- answers


def answer(
    run: Run,
    turn: int | None = None,
    unordered: bool = False,
    within: float = 0.0,
    weight: float = 1.0,
) -> Check:
    """The answer of a turn; with None, of the last turn that has one. `unordered`: the members of
    lists in any order; `within`: numbers may be that far off."""
    answers = run.plan.answers
    with_answer = [index for index, expected in enumerate(answers) if expected is not None]
    if turn is None:
        turn = with_answer[-1] if with_answer else len(answers) - 1
    name = "answer" if len(with_answer) <= 1 else f"answer {turn + 1}"
    right, reason = _judged(run, turn, unordered, within)
    return Check(name, "goal", float(right), reason, "answer", weight)


def _judged(run: Run, turn: int, unordered: bool, within: float) -> tuple[bool, Reason]:
    line = run.task.turns[turn]
    expected = run.plan.answers[turn]
    if expected is None:
        return False, f"turn {turn + 1} has no answer"
    for index in line.get("answer_rests_on") or ():
        if run.calls[index] is None:
            return False, f"the answer rests on step {index + 1}, which is not solved"
    if len(run.texts) <= turn:
        return False, f"turn {turn + 1} has no final text"
    if run.ids.pairs():
        expected = answer_of(line, run.ids.apply(line["answer"]))
    if unordered or within:
        expected = expected.taken(unordered, within)
    found = expected.judge(run.texts[turn], _Prompt(run, turn), _Results(run))
    return found.right, (Judgement.describe, found)


class _Prompt:
    """What the model was told up to a turn, put together only when it is asked for."""

    __slots__ = ("_run", "_turn")

    def __init__(self, run: Run, turn: int) -> None:
        self._run = run
        self._turn = turn

    def __call__(self) -> str:
        task = self._run.task
        ids = self._run.ids
        users = [ids.apply(line.get("user") or "") for line in task.turns[: self._turn + 1]]
        return "\n".join([task.system or "", *users])


class _Results:
    """The texts that calls gave, likewise."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self) -> list[str]:
        return [call.result for call in self._run.trace if type(call.result) is str]


# ---------------------------------------------------------------- expressions


def check(name: str, holds: Callable[[], Any], description: str = "", weight: float = 1.0) -> Check:
    """A goal of the scenario's own; `holds` is called without arguments."""
    try:
        outcome = holds()
    except Exception as error:
        reason = (_failure_reason, description or name, error)
        return Check(name, "goal", 0.0, reason, weight=weight)
    value = min(1.0, max(0.0, float(outcome))) if isinstance(outcome, (int, float)) else 0.0
    if value == 1.0:
        return Check(name, "goal", 1.0, description or "holds", weight=weight)
    unmet = (_unmet_reason, description or name, outcome)
    return Check(name, "goal", value, unmet, weight=weight)


def constraint(
    run: Run, source: str, holds: Callable[[Seen], Any], turn: int | None = None
) -> Check:
    """A guard over how the episode went, or one of its turns, named as the spec writes it."""
    seen = run.seen(turn)
    try:
        kept = bool(holds(seen))
    except Exception as error:
        return Check(source, "guard", 0.0, (_failure_reason, source, error))
    return Check(source, "guard", float(kept), (_seen_reason, kept, holds, seen))


def _seen_reason(kept: bool, holds: Callable[[Any], Any], seen: Seen) -> str:
    """What the constraint found in what it looked at."""
    noted = Noted(seen)
    with suppress(Exception):  # the state that it may read has moved on
        holds(noted)
    return ", ".join(noted.notes) or ("it holds" if kept else "it does not hold")


def _failure_reason(what: str, error: Exception) -> str:
    value = getattr(error, "value", None)
    why = value if isinstance(value, str) else str(error) or type(error).__name__
    return f"{what}: could not be evaluated: {why}"


def _unmet_reason(what: str, outcome: Any) -> str:
    return f"{what}: is {show(outcome)}"


# ---------------------------------------------------------------- calls


def called(
    run: Run,
    tool: str,
    arguments: Mapping[str, Any] = _NOTHING,
    times: int | None = None,
    turn: int | None = None,
    weight: float = 1.0,
) -> Check:
    """A goal: calls of the tool that ran and contain the arguments; at least one, or `times`."""
    number = len(_calls(run, tool, arguments, turn))
    right = number == times if times is not None else number > 0
    return Check(
        f"called {_call_text(tool, arguments)}",
        "goal",
        float(right),
        (_called_reason, tool, number, times),
        weight=weight,
    )


def _called_reason(tool: str, number: int, times: int | None) -> str:
    if times is None or times == number:
        return f"{plural(number, 'matching call')} of {tool}"
    return f"{plural(number, 'matching call')} of {tool}, not {times}"


def never(
    run: Run, tool: str, arguments: Mapping[str, Any] = _NOTHING, turn: int | None = None
) -> Check:
    """A guard: no call of the tool that contains the arguments ran."""
    numbers = _calls(run, tool, arguments, turn)
    name = f"never {_call_text(tool, arguments)}"
    if not numbers:
        return Check(name, "guard", 1.0, f"{tool} was not called so")
    return Check(name, "guard", 0.0, f"call {numbers[0] + 1} is one of {tool}")


def _calls(run: Run, tool: str, arguments: Mapping[str, Any], turn: int | None) -> list[int]:
    return [
        index
        for index, call in enumerate(run.trace)
        if call.tool == tool
        and call.status in REACHED
        and (turn is None or call.turn == turn)
        and (not arguments or _contains(call.arguments, arguments))
    ]


def _contains(given: Mapping[str, Any], arguments: Mapping[str, Any]) -> bool:
    return all(
        name in given and same(plain(value), given[name]) for name, value in arguments.items()
    )


def _call_text(tool: str, arguments: Mapping[str, Any]) -> str:
    return f"{tool}({', '.join(f'{name}: {show(value)}' for name, value in arguments.items())})"


def no_call(run: Run, turn: int | None = None) -> Check:
    """A guard: nothing was called, in a turn or at all."""
    number = len(run.trace_of(turn))
    name = "no call" if turn is None else f"no call in turn {turn + 1}"
    if number == 0:
        return Check(name, "guard", 1.0, "nothing was called")
    return Check(name, "guard", 0.0, f"{plural(number, 'call')}, where none is right")


# ---------------------------------------------------------------- state guards


def unchanged(run: Run, names: Sequence[str], turn: int | None = None) -> Check:
    """A guard: what the calls of the episode, or of a turn, did to tables and scalars comes to
    nothing."""
    label = f"unchanged {', '.join(names)}"
    found = run.changes(turn)
    for name in names:
        change = found.get(name)
        if not change:
            continue
        if type(change) is tuple:
            if not same(*change):
                return Check(label, "guard", 0.0, (_state_reason, name, *change))
            continue
        for key, (before, after) in change.items():
            if not same(before, after):
                where = f"{name}[{key_text(key)}]"
                return Check(label, "guard", 0.0, (_state_reason, where, before, after))
    return Check(label, "guard", 1.0, "nothing of it changed")


def invariant(
    run: Run, name: str, holds: Callable[[Any], Any], reads: Sequence[str] | None = None
) -> Check:
    """A guard: `holds(state)` after every call that wrote one of `reads` (None: wrote anything)."""
    for index, call in enumerate(run.trace):
        written = {name for name, *_ in call.log}
        if not written or (reads is not None and written.isdisjoint(reads)):
            continue
        try:
            kept = bool(holds(run.episode.state_after(index + 1)))
        except Exception as error:
            return Check(name, "guard", 0.0, (_failure_reason, name, error))
        if not kept:
            return Check(name, "guard", 0.0, f"broken by call {index + 1} ({call.tool})")
    return Check(name, "guard", 1.0, "held after every call")


def order(run: Run, turn: int | None = None) -> Check:
    """A guard: the share of dependent pairs of solved steps that were done in the plan's order."""
    calls = run.calls
    chosen = run.plan.steps if turn is None else run.plan.turns[turn]
    pairs = [
        (earlier, step.index)
        for step in chosen
        for earlier in sorted(run.plan.before[step.index])
        if calls[step.index] is not None
        and calls[earlier] is not None
        and (turn is None or run.plan.steps[earlier].turn == turn)
    ]
    wrong = [pair for pair in pairs if (calls[pair[0]] or 0) > (calls[pair[1]] or 0)]
    if not wrong:
        return Check("order", "guard", 1.0, "the plan's order was kept")
    first, second = wrong[0]
    reason = f"step {second + 1} was done before step {first + 1}"
    return Check("order", "guard", 1.0 - len(wrong) / len(pairs), reason)
