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
from collections.abc import Callable, Sequence
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


class Code(NamedTuple):
    """A tool's code, and the name that it defines."""

    tool: str
    text: str


class Coder:
    """Makes the codes of an environment's tools."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._packed: dict[str, tuple[dict[str, str], str] | str] = {}
        self._made: dict[tuple[str, str], Code] = {}

    def code(self, tool: str, task: Task) -> Code:
        """The code of a tool that a task offers, on the data with which the task starts. Raises
        `Refused`."""
        own = tool in self._environment.tools
        owner = self._environment if own else self._environment.guests[tool]
        modules, function = self._modules(owner, tool)
        state = owner.episode(task if own else None).state
        given = canonical(
            {
                "tool": tool,
                "parameters": _parameters(owner, tool),
                "schemas": _narrowed(owner, tool),
                **_data(owner, tool, state),
                "clock": state._toolc.clock,
            }
        )
        made = self._made.get((tool, given))
        if made is None:
            text = _written(tool, _description(owner, tool), modules, function, given)
            made = self._made[tool, given] = Code(tool, text)
        return made

    def _modules(self, owner: Environment, tool: str) -> tuple[dict[str, str], str]:
        if tool not in self._packed:
            self._packed[tool] = _pack(owner, tool)
        packed = self._packed[tool]
        if isinstance(packed, str):
            raise Refused(packed)
        return packed


def _pack(owner: Environment, tool: str) -> tuple[dict[str, str], str] | str:
    """The sources of modules, and the name of the tool's function; or why there can be none."""
    reason = refusal(owner, tool)
    if reason is not None:
        return reason
    function = owner.tools[tool].function.__name__
    roots = [(TOOLS, function), (TOOLS, "State"), (ANSWERING, "answerer")]
    return _shaken(owner, roots).modules(), function


def refusal(environment: Environment, tool: str) -> str | None:
    """Why a tool's results may depend on earlier calls, or why it cannot be called as Python
    calls; None where it can stand alone."""
    known = environment.tools[tool]
    if known.writes:
        return f"writes {', '.join(known.writes)}"
    if keyword.iskeyword(tool) or not tool.isidentifier():
        return "has a name that Python does not take"
    try:
        names = _shaken(environment, [(TOOLS, known.function.__name__)]).names
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


def _function(environment: Environment, tool: str) -> dict[str, Any]:
    functions = (schema["function"] for schema in environment.schemas)
    return next(each for each in functions if each["name"] == tool)


def _parameters(environment: Environment, tool: str) -> Any:
    return _function(environment, tool)["parameters"]


def _description(environment: Environment, tool: str) -> str:
    return str(_function(environment, tool).get("description", ""))


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


def _written(
    tool: str, description: str, modules: dict[str, str], function: str, given: str
) -> str:
    packed = json.dumps([modules, function, json.loads(given)], ensure_ascii=False).encode()
    return _CODE.format(
        tool=tool,
        description=repr(description),
        name=f"toolc_code_{sha256(packed).hexdigest()[:32]}",
        answering=ANSWERING,
        tools=TOOLS,
        packed=base64.b85encode(zlib.compress(packed, 9)).decode(),
    )


_CODE = """\
def {tool}(**arguments):
    {description}
    import sys, threading, types

    # What is packed below is unpacked once a process, and kept under this name.
    kept = sys.modules.setdefault("{name}", types.ModuleType("{name}"))
    with kept.__dict__.setdefault("lock", threading.RLock()):
        if not hasattr(kept, "answer"):
            import base64, builtins, json, zlib

            sources, function, given = json.loads(zlib.decompress(base64.b85decode("{packed}")))
            modules = {{}}

            def find(name, *rest):
                return modules[name] if name in modules else __import__(name, *rest)

            for name, source in sources.items():
                module = modules[name] = types.ModuleType(name)
                module.__builtins__ = {{**vars(builtins), "__import__": find}}
                exec(source, module.__dict__)
            tools = modules["{tools}"]
            answerer = modules["{answering}"].answerer
            kept.answer = answerer(tools.State, getattr(tools, function), given)
    return kept.answer(arguments)
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
