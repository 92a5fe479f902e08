"""Episodes as TRL's `GRPOTrainer(environment_factory=…)` takes them.

A build's `trl_environment.py` derives a class with one method a tool; `offering` narrows it to
the tools of a task. A row of a data set names its `task`. It may stand for one turn of it: then
`prefix` holds what happened before, `rest` what follows, as JSON text of a list of events,
`["call", tool, arguments, parallel]` and `["reply", text]`, which are replayed. Arguments are an
object, or the text that a model wrote.

Nothing here raises into the trainer: a row without a known task gives an episode without one,
whose verdict is not scored.
"""

from __future__ import annotations

import functools
import inspect
import json
import keyword
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from toolc_runtime.environment import Environment
from toolc_runtime.episode import Episode
from toolc_runtime.errors import BuildError
from toolc_runtime.ftrl import expected_answers, expected_text, solve, step_reward
from toolc_runtime.values import plain
from toolc_runtime.verify import match
from toolc_runtime.verify.plan import plan_of

if TYPE_CHECKING:
    from toolc_runtime.task import Task
    from toolc_runtime.verify import Verdict

TAKEN = ("reset", "get_reward")
"""Names of methods that TRL does not take for tools."""


def method_names(tools: Iterable[str]) -> dict[str, str]:
    """The name of each tool's method, which is the tool's own where TRL and Python let it."""
    used = set(TAKEN)
    made: dict[str, str] = {}
    for tool in sorted(tools, key=lambda tool: (not _allowed(tool), tool)):
        name = tool.lstrip("_") or "tool"
        while name in used or keyword.iskeyword(name):
            name += "_"
        used.add(name)
        made[tool] = name
    return made


def _allowed(tool: str) -> bool:
    return not (tool.startswith("_") or tool in TAKEN or keyword.iskeyword(tool))


class TrlEnvironment:
    """An environment instance that plays one episode after another; tools are its methods.

    TRL makes every public method a tool, so all that is not one starts with an underscore.
    """

    _environment: ClassVar[Environment]

    def __init__(self) -> None:
        self._row: Mapping[str, Any] = {}
        self._made: list[tuple[str, dict[str, Any]]] = []
        self._asked = False
        self._beside = False
        self._played: Episode | None = None

    def reset(self, **row: Any) -> str | None:
        """Start the episode of the row's `task`.

        None where the row brings its prompt, else the task's messages as one text.
        """
        self._row = row
        self._made = []
        self._asked = False
        self._played = None
        if row.get("prompt"):
            return None
        return "\n\n".join(message["content"] for message in self._episode.messages) or None

    @property
    def _episode(self) -> Episode:
        """The row's episode, begun when it is first needed: many a completion is judged without."""
        if self._played is None:
            self._played = self._begin()
        return self._played

    def _begin(self) -> Episode:
        """A new episode of the row, as it is before the model's first message."""
        task = self._row.get("task")
        if not isinstance(task, str) or task not in self._environment.tasks:
            return self._environment.episode()
        seed = self._row.get("seed")
        episode = self._environment.episode(task, seed=seed if type(seed) is int else None)
        replay(episode, events(self._row.get("prefix")))
        return episode

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
        self._made.append((tool, given))
        return self._episode.call(tool, given, parallel=self._beside)

    def _judge(self, completion: Any) -> Verdict:
        """The verdict on a completion, whose calls this instance has run.

        The episode is played anew where it is not what the completion tells: calls whose results
        the trainer dropped do not count, those that it answered itself do, and calls of one
        message are told from calls of several.
        """
        self._follow(completion)
        self._episode.reply(final_text(completion))
        replay(self._episode, events(self._row.get("rest")))
        return self._episode.finish()

    def _next(self, completion: Any) -> str | None:
        """What the user says after a completion that ends a turn; None where that was the last."""
        task = self._episode.task
        self._follow(completion)
        if task is None or self._episode._turn + 1 >= len(task.turns):
            return None
        self._asked = True
        said = self._episode.reply(final_text(completion))
        return said if isinstance(said, str) else None

    def _follow(self, completion: Any) -> None:
        """Makes the episode what a completion tells, but for the text that it ends with."""
        script = _script(completion, type(self))
        simple = all(
            isinstance(each, _Called) and each.ran and not each.parallel for each in script
        )
        if simple and len(script) == len(self._made) and not self._asked:
            return
        episode = self._begin()
        made = iter(self._made)
        for each in script:
            if isinstance(each, str):
                episode.reply(each)
                continue
            tool, arguments = next(made, (each.name, None)) if each.ran else (each.name, None)
            # What is no object is rejected, whatever the tool.
            given = "null" if arguments is None else arguments
            episode.call(tool, given, parallel=each.parallel)
        self._played = episode

    def _step(self, kind: str, completion: Any) -> float | None:
        """The reward of one message after the row's `prefix`; None without a task.

        `kind` is "task": calls earn the share of them that do steps not done before, times the
        task's reward when the plan (the row's `rest`) is gone on with; a text earns 1 where that
        is the whole reward, else 0. Or it is one of `toolc_runtime.ftrl.STEP_REWARDS`: the
        published reward, held to at most 1. The trainer must not have run the message's calls:
        they are made here.
        """
        task = self._episode.task
        if task is None:
            return None
        if kind == "task":
            return self._continued(completion, task)
        before = [(call.tool, plain(call.result)) for call in self._episode.trace]
        turn = self._episode._turn
        made = self._make(completion)
        ids = match(self._episode, task).ids
        unsolved = ids.apply(expected_answers(task))
        for tool, result in before:
            solve(unsolved, tool, result)
        text = expected_text(ids.apply(task.turns[turn].get("answer")))
        return min(1.0, step_reward(kind, unsolved, made, final_text(completion), text))

    def _continued(self, completion: Any, task: Task) -> float | None:
        """The reward of `kind` "task"."""
        now = self._episode._turn
        before = self._done(task)
        made = self._make(completion)
        after = self._done(task)
        if made and after == before:
            return 0.0
        rest = events(self._row.get("rest"))
        if not made:
            self._episode.reply(final_text(completion))
            ends = [place for place, event in enumerate(rest) if _of(event, "reply")]
            rest = rest[ends[0] + 1 :] if ends else []
        replay(self._episode, self._undone(rest, task, now))
        verdict = self._episode.finish()
        if not verdict.scored:
            return None
        if made:
            return verdict.reward * (after - before) / len(made)
        return float(verdict.reward == 1)

    def _done(self, task: Task) -> int:
        return sum(call is not None for call in match(self._episode, task).calls)

    def _undone(self, rest: Iterable[Any], task: Task, now: int) -> Iterator[Any]:
        """Of a plan's events from turn `now` on those whose steps the episode has not done, the
        first of them in a message of its own."""
        steps = [step for step in plan_of(task).steps if step.turn == now]
        first = True
        for event in rest:
            step = next((step for step in steps if _of(event, "call", step.tool)), None)
            if step and self._episode._turn == now:
                steps.remove(step)
                if match(self._episode, task).calls[step.index] is not None:
                    continue
            yield [*event[:-1], False] if first and _of(event, "call") else event
            first = False

    def _make(self, completion: Any) -> list[tuple[str, Any]]:
        """Makes the calls of a completion's message: pairs of tool and result."""
        said = completion[-1] if isinstance(completion, Sequence) and completion else None
        made: list[tuple[str, Any]] = []
        for call in (said.get("tool_calls") or ()) if isinstance(said, Mapping) else ():
            name, runs = _asked(call, type(self))
            self._beside = bool(made)
            if runs:
                text = getattr(self, name)(**call["function"]["arguments"])
                name = self._made[-1][0]
            else:
                text = self._episode.call(name, "null", parallel=self._beside)
            made.append((name, json.loads(text)))
        self._beside = False
        return made


def emitted(environment: Environment) -> type[TrlEnvironment]:
    """The class of the build's `trl_environment.py`. BuildError where there is none."""
    for found in vars(environment._build.module("trl_environment")).values():
        if isinstance(found, type) and found.__base__ is TrlEnvironment:
            return found
    raise BuildError(f"trl_environment.py of `{environment.name}` holds no environment")


def offering(environment: type[TrlEnvironment], tools: Collection[str]) -> type[TrlEnvironment]:
    """A class of the same environment whose methods are these tools alone.

    Arguments that the methods do not have are not an error of Python's: the episode answers them.
    """
    known = environment._environment
    names = method_names([*known.tools, *known.guests])
    members: dict[str, Any] = {
        names[tool]: _lenient(tool, getattr(environment, names[tool])) for tool in tools
    }
    members |= {"__doc__": environment.__doc__, "__module__": environment.__module__}
    members["_environment"] = known
    return type(environment.__name__, (TrlEnvironment,), members)


def _lenient(tool: str, method: Callable[..., str]) -> Callable[..., str]:
    signature = inspect.signature(method)

    @functools.wraps(method)
    def call(self: TrlEnvironment, /, **arguments: Any) -> str:
        try:
            bound = signature.bind(self, **arguments)
        except TypeError:
            return self._call(tool, arguments)
        return method(*bound.args, **bound.kwargs)

    return call


# ---------------------------------------------------------------- what a row replays


def replay(episode: Episode, events: Iterable[Sequence[Any]]) -> None:
    """Makes calls and replies, up to the first that is not of the expected form."""
    for event in events:
        match event:
            case ["call", str(tool), (dict() | str()) as arguments, bool(parallel)]:
                episode.call(tool, arguments, parallel=parallel)
            case ["reply", str(text)]:
                episode.reply(text)
            case _:
                return


def _of(event: Any, *start: str) -> bool:
    return isinstance(event, list) and event[: len(start)] == [*start]


def events(text: Any) -> list[Any]:
    try:
        events = json.loads(text) if isinstance(text, str) else []
    except (ValueError, RecursionError):
        return []
    return events if isinstance(events, list) else []


# ---------------------------------------------------------------- what a completion tells


class _Called(NamedTuple):
    """A call of a completion that has a result; `ran`: a method of the instance answered it."""

    name: str
    ran: bool
    parallel: bool


def _script(completion: Any, environment: type[TrlEnvironment]) -> list[_Called | str]:
    """The calls of a completion that have results, and the texts that a user answers, in order."""
    script: list[_Called | str] = []
    asked: list[tuple[str, bool]] = []
    text = ""
    parallel = False
    for message in completion if isinstance(completion, Sequence) else ():
        if not isinstance(message, Mapping):
            continue
        role = message.get("role")
        if role == "assistant":
            asked = [_asked(call, environment) for call in message.get("tool_calls") or ()]
            text = _text(message)
            parallel = False
        elif role == "user":
            script.append(text)
        elif role == "tool" and asked:
            name, ran = asked.pop(0)
            script.append(_Called(name, ran, parallel))
            parallel = True
    return script


def _asked(call: Any, environment: type[TrlEnvironment]) -> tuple[str, bool]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        return "", False
    name = function.get("name")
    if not isinstance(name, str):
        return "", False
    offered = not name.startswith("_") and name not in TAKEN and hasattr(environment, name)
    return name, offered and isinstance(function.get("arguments"), Mapping)


def final_text(completion: Any) -> str:
    """What a completion ends with: the text of its last message, "" where that is a tool's."""
    if isinstance(completion, str):
        return completion
    if not isinstance(completion, Sequence) or not completion:
        return ""
    last = completion[-1]
    return _text(last) if isinstance(last, Mapping) and last.get("role") == "assistant" else ""


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def verdicts(completions: Sequence[Any], environments: Sequence[TrlEnvironment]) -> list[Verdict]:
    """The verdicts on completions, each by the instance that ran its calls."""
    return [
        environment._judge(completion)
        for completion, environment in zip(completions, environments, strict=True)
    ]


def rewards(
    completions: Sequence[Any], environments: Sequence[TrlEnvironment]
) -> list[float | None]:
    """The verdicts' rewards, 0 to 1; None for an episode without a task, which TRL leaves out."""
    return [
        verdict.reward if verdict.scored else None
        for verdict in verdicts(completions, environments)
    ]
