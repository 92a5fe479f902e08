"""A tool as self-contained Python, for harnesses that `exec` a tool's code and call it by name.

The code defines one function and nothing else at its top, as such harnesses run it inside one of
their own: what is defined beside it they would not find. It takes arguments by name and gives the
text that the environment gives, rejections of bad arguments too. In it, packed, are the tool's own
code, the part of the runtime under it, and the tables that it reads; they are unpacked once a
process.

Only tools whose results do not depend on earlier calls have such code: see `refusal`.
"""

from __future__ import annotations

import base64
import json
import keyword
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import toolc_runtime
from toolc.apart import Died, Limits, apart
from toolc.export import answering
from toolc.export.shaking import Name, NotShakeable, Shaken
from toolc_runtime.environment import Environment
from toolc_runtime.state import State, Table
from toolc_runtime.task import Task
from toolc_runtime.values import canonical, key_text, plain

TOOLS = "tools"
ANSWERING = answering.__name__

LIMITS = Limits(seconds=120.0)
"""Of the process in which codes are tried."""

Call = tuple[str, dict[str, Any]]
"""The code of a tool, and arguments."""

_CHANCE = "toolc_runtime.builtins.chance"
_CLOCK = ("toolc_runtime.state", "advance")


class Refused(Exception):
    """A tool cannot stand alone; the message says why."""


class Coder:
    """Makes the codes of an environment's tools."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._kits: dict[str, _Kit] = {}
        self._made: dict[tuple[str, str], str] = {}

    def code(self, tool: str, task: Task) -> str:
        """The code of a tool that a task offers, on the data with which the task starts. Raises
        `Refused`."""
        own = tool in self._environment.tools
        key = tool, _start(task) if own else ""
        if key not in self._made:
            owner = self._environment if own else self._environment.guests[tool]
            kit = self._kits.setdefault(owner.name, _kit(owner))
            if tool in kit.refused:
                raise Refused(kit.refused[tool])
            state = owner.episode(task if own else None).state
            self._made[key] = _written(owner, kit, tool, state)
        return self._made[key]


class _Kit(NamedTuple):
    """What the codes of an environment's tools are made of: the runtime under all of them, packed,
    each tool's own code, and why the other tools have none."""

    runtime: str
    tools: Mapping[str, str]
    refused: Mapping[str, str]


@cache
def _kit(owner: Environment) -> _Kit:
    reasons = {tool: refusal(owner, tool) for tool in owner.tools}
    able = [tool for tool, reason in reasons.items() if reason is None]
    roots = {tool: [(TOOLS, "State"), (TOOLS, _function(owner, tool))] for tool in able}
    everything = [(ANSWERING, "answerer"), *(name for names in roots.values() for name in names)]
    runtime = _shaken(owner, everything).modules()
    runtime.pop(TOOLS, None)
    return _Kit(
        _packed(runtime),
        {tool: _shaken(owner, names).modules()[TOOLS] for tool, names in roots.items()},
        {tool: reason for tool, reason in reasons.items() if reason is not None},
    )


def refusal(environment: Environment, tool: str) -> str | None:
    """Why a tool's results may depend on earlier calls, or why it cannot be called as Python
    calls; None where it can stand alone."""
    known = environment.tools[tool]
    if known.writes:
        return f"writes {', '.join(known.writes)}"
    if keyword.iskeyword(tool) or not tool.isidentifier():
        return "has a name that Python does not take"
    try:
        names = _shaken(environment, [(TOOLS, _function(environment, tool))]).names
    except NotShakeable as error:
        return str(error)
    if any(module == _CHANCE for module, _ in names):
        return "draws by chance"
    if _CLOCK in names:
        return "moves the clock"
    return None


def _shaken(environment: Environment, roots: Sequence[Name]) -> Shaken:
    tools = environment._build.read(f"{TOOLS}.py").decode()
    return Shaken(lambda name: tools if name == TOOLS else _source(name), roots)


@cache
def _source(name: str) -> str | None:
    if name == ANSWERING:
        return Path(answering.__file__).read_text(encoding="utf-8")
    package, *parts = name.split(".")
    if package != toolc_runtime.__name__:
        return None
    path = Path(toolc_runtime.__file__).parent.joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text(encoding="utf-8")


# ---------------------------------------------------------------- what goes into a code


def _function(environment: Environment, tool: str) -> str:
    return environment.tools[tool].function.__name__


def _schema(environment: Environment, tool: str) -> dict[str, Any]:
    functions = (schema["function"] for schema in environment.schemas)
    return next(each for each in functions if each["name"] == tool)


def _start(task: Task) -> str:
    """A text that differs where tasks start differently."""
    advance = [turn.get("advance") for turn in task.turns[:1]]
    return canonical([task.given, task.record.get("clock"), advance])


def _narrowed(environment: Environment, tool: str) -> dict[str, Any]:
    """The schemas of what a tool reads."""
    whole = environment._build.json("state_schemas.json")
    reads = environment.tools[tool].reads
    return {
        "tables": {name: each for name, each in whole["tables"].items() if name in reads},
        "state": {name: each for name, each in whole["state"].items() if name in reads},
        "$defs": whole.get("$defs", {}),
    }


def _data(environment: Environment, tool: str, state: State) -> dict[str, Any]:
    """The rows and scalars that a tool reads, as JSON."""
    tables: dict[str, Any] = {}
    scalars: dict[str, Any] = {}
    for name in environment.tools[tool].reads:
        value = getattr(state, name)
        if isinstance(value, Table):
            tables[name] = {key_text(key): plain(row) for key, row in value.items()}
        else:
            scalars[name] = plain(value)
    return {"tables": tables, "scalars": scalars}


def _written(owner: Environment, kit: _Kit, tool: str, state: State) -> str:
    schema = _schema(owner, tool)
    given = {
        "tool": tool,
        "parameters": schema["parameters"],
        "schemas": _narrowed(owner, tool),
        **_data(owner, tool, state),
        "clock": state._toolc.clock.isoformat(),
    }
    own = _packed([kit.tools[tool], _function(owner, tool), given])
    return _CODE.format(
        tool=tool,
        description=repr(str(schema.get("description", ""))),
        name=_digest(kit.runtime + own),
        own=own,
        runtime_name=_digest(kit.runtime),
        runtime=kit.runtime,
        answering=ANSWERING,
        tools=TOOLS,
    )


def _packed(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False).encode()
    return base64.b85encode(zlib.compress(text, 9)).decode()


def _digest(text: str) -> str:
    return f"code_{sha256(text.encode()).hexdigest()[:32]}"


_CODE = """\
def {tool}(**arguments):
    {description}
    import sys, threading, types

    # What is packed below is unpacked once a process, and the runtime once for many tools.
    codes = sys.modules.setdefault("toolc_codes", types.ModuleType("toolc_codes"))
    with codes.__dict__.setdefault("lock", threading.RLock()):
        if not hasattr(codes, "{name}"):
            import base64, builtins, json, zlib

            def unpacked(text):
                return json.loads(zlib.decompress(base64.b85decode(text)))

            def run(modules, sources):
                def find(name, *rest):
                    return modules[name] if name in modules else __import__(name, *rest)

                for name, source in sources.items():
                    module = modules[name] = types.ModuleType(name)
                    module.__builtins__ = {{**vars(builtins), "__import__": find}}
                    exec(source, module.__dict__)
                return modules

            if not hasattr(codes, "{runtime_name}"):
                codes.{runtime_name} = run({{}}, unpacked("{runtime}"))
            source, function, given = unpacked("{own}")
            modules = run(dict(codes.{runtime_name}), {{"{tools}": source}})
            tools = modules["{tools}"]
            answerer = modules["{answering}"].answerer
            codes.{name} = answerer(tools.State, getattr(tools, function), given)
    return codes.{name}(arguments)
"""


# ---------------------------------------------------------------- what a code gives


def answers(calls: Sequence[Call]) -> list[str]:
    """What codes give, each run by itself, by `exec` in an empty namespace."""
    return [_answer(text, arguments) for text, arguments in calls]


def _answer(text: str, arguments: dict[str, Any]) -> str:
    names: dict[str, Callable[..., str]] = {}
    exec(text, {}, names)
    (function,) = names.values()
    return function(**arguments)


def answered(calls: Sequence[Call]) -> list[str]:
    """The same, in a process of its own. Raises `Refused` where they do not end, or raise."""
    try:
        return apart(answers, calls, LIMITS)
    except Died as error:
        raise Refused(f"the code does not run: {error}") from None
