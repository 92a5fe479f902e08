"""An episode: one state, the calls made on it, the conversation around them.

There is one call path: the arguments are read, checked against the tool's schema and converted,
the function runs, its result is written as JSON text, one record is appended to the trace. A
bad call is an observation, `{"error": {"code", "message"}}` with `problems` where arguments
broke the schema, and never an exception.

| code | when | status in the trace |
| --- | --- | --- |
| `unknown_tool`, `malformed_json`, `invalid_arguments` | no call of an offered tool | `rejected` |
| `exhausted` | a limit of the episode, or the budget of one call | `exhausted` |
| `fault` | the tool's code raised what it should not | `fault` |
| `finished` | the episode has its verdict | not recorded |

A tool of another environment, which a task may offer as a distractor, runs in an episode of that
environment which lives within this one: it starts from its own data, is forked with this one, and
never sees this one's state. Its calls are recorded here like any other, without writes.

A tool's own failure is exactly the value that it fails with, `failed` in the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc_runtime.budget import MAX_OUTPUT, MAX_STEPS, METER, TOO_DEEP, check_weight
from toolc_runtime.draws import Draws, Mark
from toolc_runtime.errors import BudgetExceeded, Fail, Malformed
from toolc_runtime.names import near
from toolc_runtime.schema import Problem, Problems, summary
from toolc_runtime.state import (
    Base,
    Context,
    State,
    Write,
    advance,
    apply,
    changes,
    differences,
    fork,
    rollback,
    scalars_of,
    settle,
)
from toolc_runtime.task import Task
from toolc_runtime.texts import Texts
from toolc_runtime.trace import Call
from toolc_runtime.values import canonical, parse, quote

if TYPE_CHECKING:
    from toolc_runtime.environment import Environment
    from toolc_runtime.verify import Verdict

MAX_CALLS = 10_000
"""Calls of an episode whose task sets no limit."""
_UNREADABLE = "the call cannot be read: a call is a tool's name and a JSON object of arguments"
_BEYOND = "a number in the result is beyond the range of a float"


class Prepared(NamedTuple):
    """A tool, ready to be called."""

    function: Callable[..., Any]
    names: tuple[str, ...]
    check: Callable[[dict[str, Any], Problems], list[Any]]
    scalars: tuple[str, ...]
    """The scalars that it writes."""
    keeps_effects: bool


class Opening(NamedTuple):
    """How a later turn begins."""

    given: Callable[[Episode, Task], None] | None = None
    """What changes the state, and moves the clock."""
    advance: timedelta | None = None
    """How far the clock moved in the plan."""
    renamed: bool = False
    """Whether the user's message holds ids that the plan drew."""


class Start(NamedTuple):
    """Where episodes of one task (or of none) start."""

    state: Callable[[Context], State]
    base: Base
    tools: Mapping[str, Prepared]
    task: Task | None = None
    turns: tuple[Opening, ...] = ()
    verifier: Callable[[Episode, Task], Verdict] | None = None
    seed: int = 0
    max_calls: int = MAX_CALLS
    max_messages: int = MAX_CALLS
    texts: Texts = Texts()
    """What results' texts are remembered in; an environment has its own."""
    guests: Mapping[str, Environment] = {}
    """The tools of other environments on offer, each with its environment."""


class Episode:
    """One episode; made by `Environment.episode`. Not to be used by two threads at a time."""

    __slots__ = (
        "_asked",
        "_between",
        "_guests",
        "_message",
        "_open",
        "_start",
        "_texts",
        "_tools",
        "_trace",
        "_turn",
        "_verdict",
        "state",
    )

    def __init__(self, start: Start, draws: Draws) -> None:
        self._start = start
        self._tools = start.tools
        self.state = start.state(Context(start.base, draws))
        """The state now; to be looked at, not to be written to."""
        self._trace: list[Call] = []
        self._asked: tuple[str, ...] = ()
        self._texts: tuple[str, ...] = ()
        self._between: tuple[tuple[int, tuple[Write, ...]], ...] = ()
        self._turn = 0
        self._message = -1
        self._open = False  # whether a parallel call may join the last message
        self._verdict: Verdict | None = None
        self._guests: dict[str, Episode] | None = None  # of other environments, once called

    # ------------------------------------------------------------ what happened

    @property
    def task(self) -> Task | None:
        """The task, None for an episode without one."""
        return self._start.task

    @property
    def trace(self) -> tuple[Call, ...]:
        """The calls so far."""
        return tuple(self._trace)

    @property
    def texts(self) -> tuple[str, ...]:
        """The model's text that ended each turn, for the turns that have ended."""
        return self._texts

    @property
    def fresh(self) -> tuple[str, ...]:
        """The ids that `fresh_id` drew, in order."""
        return self.state._toolc.draws.fresh

    @property
    def draws(self) -> tuple[Any, ...]:
        """What was drawn, in order, as JSON values: the tape for a replay."""
        return self.state._toolc.draws.drawn

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, once the episode is finished."""
        return self._verdict

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation so far without the calls, as `{"role", "content"}`."""
        task = self._start.task
        if task is None:
            return []
        made = [{"role": "system", "content": task.system}] if task.system is not None else []
        asked = [turn["user"] for turn in task.turns[:1]]
        for index, user in enumerate((*asked, *self._asked)):
            made.append({"role": "user", "content": user})
            if index < len(self._texts):
                made.append({"role": "assistant", "content": self._texts[index]})
        return made

    def changes(self) -> dict[str, Any]:
        """What differs from the state after `given`, as pairs of before and after.

        `{table: {key: (before, after)}, scalar: (before, after)}`. Keys and
        values are the runtime's own; None stands for a row that is not there.
        """
        return differences(self.state)

    def json_changes(self) -> dict[str, Any]:
        """The same as JSON: `{table: {key: row or None}, scalar: value}`."""
        return changes(self.state)

    def state_after(self, calls: int) -> State:
        """The state as it was after the first `calls` calls."""
        start = self._start
        state = start.state(Context(start.base, Draws(0)))
        # A turn that begins after n calls writes before call n, which is the one after it.
        steps = [(at, 0, writes) for at, writes in self._between if at < calls]
        steps.extend((index, 1, call.log) for index, call in enumerate(self._trace[:calls]))
        for _, _, writes in sorted(steps, key=lambda step: step[:2]):
            state._toolc.steps = MAX_STEPS
            apply(state, writes)
            settle(state)
        return state

    # ------------------------------------------------------------ what the model does

    def call(self, name: str, arguments: str | Mapping[str, Any], *, parallel: bool = False) -> str:
        """Call a tool with JSON text, or with a mapping of JSON values; canonical JSON text back.

        `parallel`: the call was made by the same message of the model as the call before.
        Never raises, but for what ends the process (KeyboardInterrupt, SystemExit).
        """
        if self._verdict is not None:
            return canonical(_error("finished", "the episode is over"))
        if not (parallel and self._open):
            self._message += 1
            self._open = True
        start = self._start
        if len(self._trace) >= start.max_calls or self._message >= start.max_messages:
            return self._beyond_limits(name)
        prepared = self._tools.get(name) if type(name) is str else None
        if prepared is None:
            return self._visit(name, arguments)
        try:
            given = parse(arguments if type(arguments) is str else _text_of(arguments))
        except Malformed as error:
            return self._reject(
                name, {}, _error("malformed_json", f"the arguments are not JSON: {error}")
            )
        if type(given) is not dict:
            message = f"the arguments must be a JSON object, found {quote(given)}"
            return self._reject(name, {}, _error("malformed_json", message))
        problems: Problems = []
        values = prepared.check(given, problems)
        if problems:
            return self._reject(name, given, _invalid(name, problems))

        state = self.state
        context = state._toolc
        draws = context.draws
        mark = draws.mark()
        draws.call = (name, values)
        scalars = prepared.scalars
        before = scalars_of(state, scalars) if scalars else ()
        context.steps = MAX_STEPS
        METER.set(context)
        try:
            result = prepared.function(state, *values)
            try:
                text = start.texts.of(result, not context.undo)
            except ValueError:
                raise Fail(_BEYOND) from None
            if len(text) > MAX_OUTPUT:
                raise BudgetExceeded(f"the result has more than {MAX_OUTPUT:,} characters")
            writes = settle(state, scalars, before) if scalars or context.undo else ()
        except BudgetExceeded as failure:
            self._undo(mark, scalars, before)
            return self._record(name, given, _error("exhausted", failure.value), "exhausted")
        except Fail as failure:
            return self._failed(prepared, name, given, failure, mark, before)
        except RecursionError:
            self._undo(mark, scalars, before)
            return self._record(name, given, _error("exhausted", TOO_DEEP), "exhausted")
        except Exception as error:
            self._undo(mark, scalars, before)
            return self._record(name, given, _fault(error), "fault")
        except BaseException:
            self._undo(mark, scalars, before)
            raise
        finally:
            METER.set(None)
        draws.settle()
        made = (prepared.names, tuple(values)) if len(given) == len(values) else given
        self._trace.append(Call(name, made, result, "ok", writes, self._turn, self._message))
        return text

    def reply(self, text: str) -> str | Verdict:
        """End the turn with a message that makes no call: the next user message, or the verdict."""
        task = self._start.task
        if self._verdict is not None or task is None or self._turn + 1 >= len(task.turns):
            return self.finish(text)
        self._end_turn(text)
        self._turn += 1
        return self._begin_turn(task)

    def finish(self, text: str | None = None) -> Verdict:
        """End the episode, with the model's last text if there is one; always the same verdict."""
        if self._verdict is None:
            from toolc_runtime.verify import Verdict, judge  # the packages need each other

            if text is not None:
                self._end_turn(text)
            task, verifier = self._start.task, self._start.verifier
            if task is None or verifier is None:
                self._verdict = Verdict(0.0, (), 0.0, 0, len(self._trace), scored=False)
            else:
                self.state._toolc.steps = MAX_STEPS  # checks have a budget of their own
                self._verdict = judge(verifier, self, task)
        return self._verdict

    def fork(self) -> Episode:
        """An independent copy, which costs what the episode wrote and the calls it made."""
        copy = Episode.__new__(Episode)
        for name in Episode.__slots__:
            setattr(copy, name, getattr(self, name))
        copy.state = fork(self.state)
        copy._trace = self._trace[:]
        if self._guests is not None:
            copy._guests = {name: guest.fork() for name, guest in self._guests.items()}
        return copy

    # ------------------------------------------------------------ rare paths

    def _begin_turn(self, task: Task) -> str:
        """Makes what changes as a turn begins: the user's message. The ids in it that the plan
        drew are those of this episode, as far as the calls that did its steps show them."""
        given, by, renamed = self._start.turns[self._turn]
        user = str(task.turns[self._turn]["user"])
        if given is not None:
            self._amend(given, task, by)
        if renamed:
            from toolc_runtime.verify import match

            user = match(self, task).ids.apply(user)
        self._asked = (*self._asked, user)
        return user

    def _amend(
        self, given: Callable[[Episode, Task], None], task: Task, by: timedelta | None
    ) -> None:
        """Runs a turn's `given` on the state as it is. What it draws is what the plan drew. Where
        it fails nothing changes, but for the clock."""
        state = self.state
        context = state._toolc
        draws, clock = context.draws, context.clock
        names = tuple(context.base.scalars)
        before = scalars_of(state, names)
        mark = draws.mark()
        context.steps = MAX_STEPS
        METER.set(context)
        try:
            with draws.planned(self._start.seed, self._turn):
                given(self, task)
            writes = settle(state, names, before)
        except Exception:  # a verifier's values may be of any kind where the build was edited
            self._undo(mark, names, before)
            context.clock = clock
            if by is not None:
                advance(state, by)
            return
        finally:
            METER.set(None)
        draws.settle()
        if writes:
            self._between = (*self._between, (len(self._trace), writes))

    def _end_turn(self, text: str) -> None:
        self._texts = (*self._texts, text if isinstance(text, str) else "")
        self._message += 1
        self._open = False

    def _undo(self, mark: Mark | None, scalars: tuple[str, ...], before: tuple[Any, ...]) -> None:
        rollback(self.state, scalars, before)
        self.state._toolc.draws.rollback(mark)

    def _failed(
        self,
        prepared: Prepared,
        name: str,
        given: Mapping[str, Any],
        failure: Fail,
        mark: Mark | None,
        before: tuple[Any, ...],
    ) -> str:
        value = failure.value
        keeps = prepared.keeps_effects
        writes: tuple[Write, ...] = ()
        try:
            check_weight(value)
            try:
                text = canonical(value)
                if keeps:
                    writes = settle(self.state, prepared.scalars, before)
            except ValueError:
                value, text = _BEYOND, canonical(_BEYOND)
        except (BudgetExceeded, RecursionError) as error:
            self._undo(mark, prepared.scalars, before)
            message = error.value if isinstance(error, BudgetExceeded) else TOO_DEEP
            return self._record(name, given, _error("exhausted", message), "exhausted")
        except Fail as beyond:
            keeps, value, text = False, beyond.value, canonical(beyond.value)
        except TypeError as error:
            self._undo(mark, prepared.scalars, before)
            return self._record(name, given, _fault(error), "fault")
        if keeps:
            self.state._toolc.draws.settle()
        else:
            self._undo(mark, prepared.scalars, before)
        self._trace.append(Call(name, given, value, "failed", writes, self._turn, self._message))
        return text

    def _record(self, name: str, given: Mapping[str, Any], result: Any, status: str) -> str:
        self._trace.append(Call(name, given, result, status, (), self._turn, self._message))
        return canonical(result)

    def _reject(self, name: str, given: Mapping[str, Any], error: Any) -> str:
        return self._record(name, given, error, "rejected")

    def _beyond_limits(self, name: Any) -> str:
        start = self._start
        calls = len(self._trace) >= start.max_calls
        limit = f"{start.max_calls:,} calls" if calls else f"{start.max_messages:,} turns"
        error = _error("exhausted", f"the episode allows {limit}")
        if len(self._trace) > MAX_CALLS:
            return canonical(error)
        return self._record(_name_of(name), {}, error, "exhausted")

    def _visit(self, name: Any, arguments: Any) -> str:
        """Call a tool of another environment, where the task offers it."""
        other = self._start.guests.get(name) if type(name) is str else None
        if other is None:
            return self._unknown(name)
        if self._guests is None:
            self._guests = {}
        guest = self._guests.get(other.name)
        if guest is None:
            guest = self._guests[other.name] = other.episode(seed=self.state._toolc.draws.seed)
        text = guest.call(name, arguments)
        call = guest._trace.pop()
        call.turn, call.message, call.log = self._turn, self._message, ()
        self._trace.append(call)
        return text

    def _unknown(self, name: Any) -> str:
        shown = _name_of(name)
        if not shown:
            return self._reject(shown, {}, _error("malformed_json", _UNREADABLE))
        tools = [*self._tools, *self._start.guests]
        similar = near(shown, tools)
        names = " or ".join(f"`{other}`" for other in similar)
        known = f"did you mean {names}?" if similar else f"the tools are {', '.join(tools)}"
        return self._reject(
            shown, {}, _error("unknown_tool", f"there is no tool `{shown}`; {known}")
        )


def _error(code: str, message: Any, problems: Sequence[Problem] = ()) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if problems:
        error["problems"] = [problem._asdict() for problem in problems]
    return {"error": error}


def _invalid(name: str, problems: Problems) -> dict[str, Any]:
    return _error("invalid_arguments", f"{name}: {summary(problems, 'arguments')}", problems)


def _fault(error: BaseException) -> dict[str, Any]:
    return _error("fault", f"the tool is defective ({type(error).__name__}), nothing was changed")


def _name_of(name: Any) -> str:
    if not isinstance(name, str):
        return type(name).__name__
    return name[:100].encode("utf-8", "replace").decode()


def _text_of(arguments: Any) -> str:
    if not isinstance(arguments, Mapping):
        raise Malformed(f"expected a text or a mapping, found {type(arguments).__name__}")
    try:
        return canonical(dict(arguments))
    except (ValueError, TypeError) as error:
        raise Malformed(str(error).lower()) from None
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except Exception as error:  # a mapping runs its own code
        raise Malformed(f"a mapping that raises {type(error).__name__}") from None
