"""Python names for the language's names: legal, not taken, and the same on every run."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS
from toolc.analysis.types import Type
from toolc.node import Node

TYPING = ("Any", "Literal", "NotRequired", "Optional", "TypedDict")
MODULES: dict[str, str] = {
    **dict.fromkeys(TYPING, "typing"),
    **dict.fromkeys(("date", "datetime", "time", "timedelta"), "datetime"),
    "Decimal": "decimal",
    **dict.fromkeys(("BudgetExceeded", "Fail"), "toolc_runtime.errors"),
    **dict.fromkeys(("check_int", "grow", "weighed"), "toolc_runtime.budget"),
    **dict.fromkeys(
        (
            "State",
            "Table",
            "advance",
            "append",
            "assign",
            "at",
            "each",
            "erase",
            "item",
            "peek",
            "remove",
            "with_appended",
            "with_path",
            "with_removed",
            "without",
        ),
        "toolc_runtime.state",
    ),
    "Tool": "toolc_runtime.tool",
    "compile_schema": "toolc_runtime.schema",
}
"""Where each name that emitted code imports comes from; all others are built-ins' own."""
BUILTINS_MODULE = "toolc_runtime.builtins"
OPERATORS = (
    "add",
    "divide",
    "floor_divide",
    "modulo",
    "multiply",
    "power",
    "present",
    "sorted_by",
    "subtract",
    "text",
    "walk",
)
PYTHON = ("abs", "all", "any", "dict", "float", "len", "list", "next", "sorted", "str")
"""Python's own functions that emitted code calls."""

_AMBIGUOUS = ("I", "O", "l")
_RESERVED = frozenset(
    {
        *_AMBIGUOUS,
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        *MODULES,
        *OPERATORS,
        *(builtin.python for builtin in BUILTINS.values()),
        "BaseState",
        "TOOLS",
        "expect",
        "state",
    }
)


def identifier(name: str) -> str:
    """A Python name that resembles a text: what a name cannot hold becomes an underscore."""
    made = "".join(char if char.isidentifier() or char.isdecimal() else "_" for char in name)
    return made if made.isidentifier() else f"_{made}"


def free(name: str, taken: Iterable[str]) -> str:
    """The name, with as many underscores after it as it takes to be free."""
    while name in taken or keyword.iskeyword(name):
        name += "_"
    return name


def global_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Module-level Python names for declared names, in order."""
    used = set(taken) | _RESERVED
    made: dict[str, str] = {}
    for name in names:
        made[name] = free(name, used)
        used.add(made[name])
    return made


def constant_name(name: str) -> str:
    """`loanPeriod`, `loan_period` as `LOAN_PERIOD`."""
    spaced = "".join(
        f"_{char}" if char.isupper() and index and name[index - 1].islower() else char
        for index, char in enumerate(name)
    )
    return spaced.upper()


def shouted(kind: Type) -> str:
    """The name of a constant that stands for a type: `ORDER`, `ORDER_LIST`."""
    match kind:
        case t.List():
            return f"{shouted(kind.item)}_LIST"
        case t.Dict():
            return f"{shouted(kind.value)}_DICT"
    return constant_name(getattr(kind, "name", "") or "value")


_USED: dict[type, tuple[str, ...]] = {
    core.Item: ("item",),
    core.At: ("at",),
    core.ToDecimal: ("Decimal",),
    core.Constant: ("Decimal",),
    core.ToFloat: ("float",),
    core.WalkOf: ("walk",),
    core.Present: ("present",),
    core.Append: ("append", "with_appended"),
    core.Remove: ("remove", "with_removed"),
    core.Delete: ("erase", "without"),
    core.Advance: ("advance",),
    core.Expect: ("expect", "failure", "actual"),
    core.Arithmetic: (
        "add",
        "divide",
        "floor_divide",
        "modulo",
        "multiply",
        "power",
        "subtract",
        "check_int",
    ),
}
_ALWAYS = frozenset(
    {
        *_AMBIGUOUS,
        *keyword.kwlist,
        "BudgetExceeded",
        "Fail",
        "assign",
        "date",
        "datetime",
        "dict",
        "each",
        "grow",
        "len",
        "list",
        "peek",
        "sorted",
        "sorted_by",
        "state",
        "str",
        "time",
        "timedelta",
        "with_path",
    }
)


def is_plain(hole: core.HoleOf) -> bool:
    """Whether Python's own formatting renders the value as the language does."""
    bare = t.strip(hole.value.type)
    return bool(hole.format) or t.is_text(bare) or bare in (t.INT, t.FLOAT)


def names_used(root: object, globals_: dict[str, str]) -> frozenset[str]:
    """Names that no local of a body may take: what its Python may refer to."""
    found = set(_ALWAYS)
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Node) and not isinstance(node, core.Symbol):
            found.update(_USED.get(type(node), ()))
            if isinstance(node, core.HoleOf) and not is_plain(node):
                found.add("text")
            elif isinstance(node, core.CallBuiltin):
                found.add(BUILTINS[node.name].python)
            elif isinstance(node, (core.CallFunction, core.ConstantRef)):
                found.add(globals_.get(node.name, node.name))
            stack.extend(value for key, value in node.__dict__.items() if key != "type")
    return frozenset(found)


Given = tuple[frozenset[str], tuple[frozenset[str], ...]]


class Scope:
    """The Python names of a body's locals: a symbol has its name while its block lasts."""

    def __init__(self, reserved: frozenset[str]) -> None:
        self._reserved = reserved
        self._frames: list[set[str]] = [set()]
        self._names: dict[int, str] = {}
        self._given: frozenset[str] = frozenset()

    def reserve(self, names: frozenset[str]) -> None:
        """Names that nothing gets from here on."""
        self._reserved |= names

    def push(self) -> None:
        self._frames.append(set())

    def pop(self) -> None:
        self._frames.pop()

    def bind(self, symbol: core.Symbol) -> str:
        """A name for a symbol from here on."""
        name = self.fresh("unused" if symbol.name == "_" else symbol.name, "_")
        self._names[id(symbol)] = name
        return name

    def rename(self, symbol: core.Symbol, name: str) -> None:
        """Gives a symbol a name that is already its own."""
        self._names[id(symbol)] = name

    def name(self, symbol: core.Symbol) -> str:
        """The name that the symbol was bound to."""
        return self._names[id(symbol)]

    def fresh(self, hint: str, suffix: str = "") -> str:
        """A name that nothing in scope has.

        Without `suffix` one for a temporary, which nothing has had before: it may be assigned
        ahead of statements that were lowered earlier.
        """
        hint = hint if hint.isidentifier() else "value"
        name, count = hint, 2
        if suffix:
            while self._taken(name):
                name += suffix
        else:
            while self._taken(name) or name in self._given:
                name, count = f"{hint}_{count}", count + 1
        self._frames[-1].add(name)
        self._given |= {name}
        return name

    def given(self) -> Given:
        """What is taken so far, for `forget`."""
        return self._given, tuple(map(frozenset, self._frames))

    def forget(self, given: Given) -> None:
        """Back to then: what was lowered since is not used."""
        self._given = given[0]
        self._frames = list(map(set, given[1]))

    def _taken(self, name: str) -> bool:
        return name in self._reserved or any(name in frame for frame in self._frames)
