"""The proof that emitted Python holds only what the emitter may write.

`check_closed` walks the syntax tree quickly and runs at every compile; `prove` adds that Black
would change nothing and a second walk, over the concrete tree, so that no comment and no
construct of a newer Python slips by.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from toolc.emit.namer import PYTHON

_MODULES = frozenset({"__future__", "typing", "datetime", "decimal", "math", "pathlib"})
_GROUPS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_NODES: frozenset[type[ast.AST]] = frozenset((
    ast.Module, ast.Import, ast.ImportFrom, ast.alias,
    ast.FunctionDef, ast.ClassDef, ast.arguments, ast.arg, ast.keyword,
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return, ast.Raise, ast.Try,
    ast.ExceptHandler, ast.If, ast.For, ast.Continue, ast.Break, ast.Pass,
    ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Constant, ast.JoinedStr,
    ast.FormattedValue, ast.Call, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.List, ast.Tuple, ast.Dict, ast.Starred, ast.ListComp, ast.GeneratorExp, ast.DictComp,
    ast.comprehension, ast.Lambda,
    *(kind for group in _GROUPS for kind in group.__subclasses__()),
))  # fmt: skip
METHODS = frozenset(
    [
        "_call",
        "append",
        "calls_of",
        "endswith",
        "get",
        "insert",
        "items",
        "keys",
        "lower",
        "put",
        "startswith",
        "strip",
        "upper",
        "values",
    ]
)
"""Methods that emitted code calls on values, tables, TRL environments and what was seen."""
_KNOWN = frozenset({*PYTHON, "bool", "expect", "int", "tuple"})


class NotClosed(Exception):
    """Emitted code that holds what it must not; `problems` by file."""

    # What it is made of is its one argument, so that a process can hand it to another.
    def __init__(self, problems: Mapping[str, list[str]]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(
            f"{name}: {text}" for name, texts in self.problems.items() for text in texts
        )


def check_closed(source: str, methods: Collection[str] = ()) -> list[str]:
    """What a module holds that the emitter may not write; empty where it is closed.

    `methods` may be called beside those of values, tables and the module's own classes.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        return [f"no Python: {error}"]
    nodes = _nodes(tree)
    names = _Names(nodes)
    allowed = METHODS | names.functions | set(methods)
    problems = []
    for node in nodes:
        kind = type(node)
        if kind not in _NODES:
            problems.append((_line(node), f"`{kind.__name__}` is not emitted"))
        if kind in _LOOKED_AT:
            problems += ((_line(node), found) for found in _problems(node, names, allowed))
    return [f"line {line}: {problem}" for line, problem in sorted(problems)]


def _nodes(tree: ast.Module) -> list[ast.AST]:
    """Every node of a tree; what stands in it many times, like `Load`, as often."""
    found: list[ast.AST] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        found.append(node)
        for value in node.__dict__.values():
            if type(value) is list:
                stack += [each for each in value if isinstance(each, ast.AST)]
            elif isinstance(value, ast.AST):
                stack.append(value)
    return found


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


class _Names:
    """The names that a module binds: those that may be called, and all."""

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        self.functions: set[str] = set()
        self.callable = {*PYTHON, "expect"}  # `expect`: what tests are judged by
        self.bound = set(_KNOWN)
        for node in nodes:
            if type(node) not in _BINDING:
                continue
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                self.functions.add(node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self.callable.update(alias.asname or alias.name for alias in node.names)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.bound.add(node.id)
            elif isinstance(node, ast.arg):
                self.bound.add(node.arg)
            elif isinstance(node, ast.Lambda):
                self.callable.update(each.arg for each in node.args.args)
            elif isinstance(node, ast.Assign) and _makes_check(node.value):
                self.callable.update(each.id for each in node.targets if isinstance(each, ast.Name))
            elif isinstance(node, ast.ExceptHandler) and node.name:
                self.bound.add(node.name)
        self.callable |= self.functions
        self.bound |= self.callable
        self.bound.add("__file__")


_BINDING = frozenset((
    ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Name, ast.arg, ast.Lambda,
    ast.Assign, ast.ExceptHandler,
))  # fmt: skip
_LOOKED_AT = frozenset((ast.Import, ast.ImportFrom, ast.Name, ast.Attribute, ast.Call))


def _problems(node: ast.AST, names: _Names, methods: Collection[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=aliases):
            for alias in aliases:
                if not _is_module(alias.name):
                    yield f"the module `{alias.name}` is not imported"
        case ast.ImportFrom(module=module, level=0) if not _is_module(module or ""):
            yield f"the module `{module}` is not imported"
        case ast.Name(id=name, ctx=ast.Load()) if name not in names.bound:
            yield f"the name `{name}` is not bound"
        case ast.Name(id=name) if _is_dunder(name) and name != "__file__":
            yield f"the name `{name}` is not emitted"
        case ast.Attribute(attr=name, value=base) if not _may_read(name, base):
            yield f"the attribute `{name}` is not read"
        case ast.Call(func=ast.Name(id=name)) if name not in names.callable:
            yield f"`{name}` is not called"
        case ast.Call(func=ast.Attribute(attr=name)) if name not in methods:
            yield f"the method `{name}` is not called"
        case ast.Call(func=func) if not isinstance(func, (ast.Name, ast.Attribute)):
            yield "only names and methods are called"


def _makes_check(value: ast.expr) -> bool:
    """Whether it is a check compiled from a schema, which is called as a function is."""
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id == "compile_schema"
    )


def _is_module(name: str) -> bool:
    return name in _MODULES or name.split(".", maxsplit=1)[0] == "toolc_runtime"


def _is_dunder(name: str) -> bool:
    return name.startswith("__")


def _may_read(name: str, base: ast.expr) -> bool:
    if _is_dunder(name) or name.startswith("_toolc"):
        return False
    return not name.startswith("_") or (isinstance(base, ast.Name) and base.id in ("state", "self"))


def prove(files: Mapping[str, bytes], methods: Collection[str] = ()) -> None:
    """Raises `NotClosed` where a Python file of a build is not closed, or not as Black has it."""
    problems = {}
    for name, content in files.items():
        if name.endswith(".py"):
            found = prove_source(content.decode("utf-8"), methods)
            if found:
                problems[name] = found
    if problems:
        raise NotClosed(problems)


def prove_source(source: str, methods: Collection[str] = ()) -> list[str]:
    """What is wrong with one module; empty where nothing is."""
    import black
    import libcst
    from black.parsing import InvalidInput

    problems = check_closed(source, methods)
    try:
        formatted = black.format_str(source, mode=black.Mode())
    except InvalidInput as error:
        return [*problems, f"Black cannot read it: {error}"]
    if formatted != source:
        problems.append("Black would change it")
    module = libcst.parse_module(source)
    if module.code != source:
        problems.append("the concrete tree is another text")
    stack: list[libcst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, _forbidden()):
            problems.append(f"`{type(node).__name__}` is not emitted")
        stack.extend(node.children)
    return problems


def _forbidden() -> tuple[type, ...]:
    import libcst

    return (
        libcst.Assert, libcst.Asynchronous, libcst.Await, libcst.Del, libcst.Global, libcst.Match,
        libcst.NamedExpr, libcst.Nonlocal, libcst.Set, libcst.SetComp, libcst.While, libcst.With,
        libcst.Yield,
    )  # fmt: skip
