"""The part of some Python modules that a few of their definitions rest on, as source.

What is kept is found by names alone, so that it is rather too much: a definition is needed where
something needed has its name, a method where its name stands as an attribute anywhere. (Methods
that are only found by a text made at run time would be missed.) Annotations and docstrings are left
out, and so is what is imported for type checkers.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

Name = tuple[str, str]
"""A module and a name in it."""

FUTURE = "__future__"


class NotShakeable(Exception):
    """The modules use what cannot be followed by names; the message says what."""


class Module(NamedTuple):
    """A module's statements, and which of them binds each name."""

    statements: tuple[ast.stmt, ...]
    binds: Mapping[str, ast.stmt]


class Shaken:
    """What some names of modules rest on.

    `source` gives the text of a module by its name, None for a module of another library, which
    must be of the standard one. Raises `NotShakeable`.
    """

    def __init__(self, source: Callable[[str], str | None], roots: Iterable[Name]) -> None:
        self._source = source
        self._modules: dict[str, Module | None] = {}
        self._needed: dict[str, set[ast.stmt]] = defaultdict(set)
        self._attributes: set[str] = set()
        self._waiting: dict[str, list[tuple[str, ast.stmt]]] = defaultdict(list)
        self._aliases: dict[str, set[str]] = defaultdict(set)
        self.names: set[Name] = set()
        """All that is needed, the names under which it is imported among it."""
        for name in roots:
            self._need(name)

    def modules(self) -> dict[str, str]:
        """The source of each module, each before those that import it."""
        order: dict[str, None] = {}
        for module in self._needed:
            self._place(module, order)
        return {name: self._text(name) for name in order}

    # ------------------------------------------------------------ what is needed

    def _need(self, name: Name) -> None:
        if name in self.names:
            return
        self.names.add(name)
        where, what = name
        module = self._module(where)
        if module is None:
            return
        statement = module.binds.get(what)
        if statement is None:
            raise NotShakeable(f"`{where}` has no `{what}`")
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._imported(where, what, statement)
        self._keep(where, statement)

    def _keep(self, where: str, statement: ast.stmt) -> None:
        if statement in self._needed[where]:
            return
        self._needed[where].add(statement)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return
        module = self._modules[where]
        assert module is not None
        for name in _bound(statement):
            self.names.add((where, name))
        if isinstance(statement, ast.ClassDef):
            self._look(where, *statement.bases, *statement.keywords, *statement.decorator_list)
            for member in statement.body:
                self._member(where, member)
        else:
            self._look(where, statement)

    def _member(self, where: str, member: ast.stmt) -> None:
        """A part of a class: a method waits until something has its name."""
        if not isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            self._look(where, member)
        elif _special(member.name) or member.name in self._attributes:
            self._needed[where].add(member)
            self._look(where, member)
        else:
            self._waiting[member.name].append((where, member))

    def _look(self, where: str, *nodes: ast.AST) -> None:
        """Needs what these nodes name."""
        module = self._modules[where]
        assert module is not None
        for node in (each for root in nodes for each in ast.walk(root)):
            match node:
                case ast.Name(id=name) if name in module.binds:
                    self._need((where, name))
                case ast.Attribute(attr=name):
                    self._attribute(name)
                case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(str(name)), *_]):
                    self._attribute(name)
                case ast.ImportFrom():
                    for alias in node.names:
                        self._from(node, alias)
                case ast.Import():
                    self._whole(node)

    def _attribute(self, name: str) -> None:
        if name not in self._attributes:
            self._attributes.add(name)
            for where, member in self._waiting.pop(name, ()):
                self._member(where, member)

    def _imported(self, where: str, what: str, statement: ast.Import | ast.ImportFrom) -> None:
        self._aliases[where].add(what)
        if isinstance(statement, ast.Import):
            self._whole(statement)
            return
        for alias in statement.names:
            if (alias.asname or alias.name) == what:
                self._from(statement, alias)

    def _from(self, statement: ast.ImportFrom, alias: ast.alias) -> None:
        self._need((str(statement.module), alias.name))

    def _whole(self, statement: ast.Import) -> None:
        for alias in statement.names:
            if self._module(alias.name) is not None:
                raise NotShakeable(f"`{ast.unparse(statement)}` cannot be followed")

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            text = self._source(name)
            if text is None and name.partition(".")[0] not in sys.stdlib_module_names:
                raise NotShakeable(f"`{name}` is not in the standard library")
            self._modules[name] = None if text is None else _parsed(text)
        return self._modules[name]

    # ------------------------------------------------------------ what is written

    def _place(self, name: str, order: dict[str, None]) -> None:
        if name in order or not self._modules.get(name):
            return
        for statement in self._kept(name):
            if isinstance(statement, ast.ImportFrom):
                self._place(str(statement.module), order)
        order[name] = None

    def _kept(self, name: str) -> Iterator[ast.stmt]:
        module = self._modules[name]
        assert module is not None
        needed = self._needed[name]
        for statement in module.statements:
            if statement in needed:
                match statement:
                    case ast.Import() | ast.ImportFrom():
                        yield self._narrowed(name, statement)
                    case ast.ClassDef():
                        yield _with_body(statement, _members(statement, needed))
                    case _:
                        yield statement

    def _narrowed(self, name: str, statement: ast.Import | ast.ImportFrom) -> ast.stmt:
        wanted = self._aliases[name]
        names = [alias for alias in statement.names if _bound_by(alias, type(statement)) in wanted]
        if isinstance(statement, ast.Import):
            return ast.Import(names)
        return ast.ImportFrom(statement.module, names, statement.level)

    def _text(self, name: str) -> str:
        body = [ast.ImportFrom(FUTURE, [ast.alias("annotations")], 0), *self._kept(name)]
        return ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))


def _special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _members(statement: ast.ClassDef, needed: set[ast.stmt]) -> list[ast.stmt]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [each for each in statement.body if not isinstance(each, functions) or each in needed]


def _with_body(statement: ast.ClassDef, body: list[ast.stmt]) -> ast.ClassDef:
    return ast.ClassDef(
        name=statement.name,
        bases=statement.bases,
        keywords=statement.keywords,
        body=body or [ast.Pass()],
        decorator_list=statement.decorator_list,
    )


# ---------------------------------------------------------------- one module


@cache
def _parsed(text: str) -> Module:
    tree = _Bare().visit(ast.parse(text))
    statements = tuple(
        each
        for each in tree.body
        if not (_is_text(each) or _for_checkers(each) or _from_future(each))
    )
    for each in statements:
        if isinstance(each, ast.ImportFrom) and (each.level or each.names[0].name == "*"):
            raise NotShakeable(f"`{ast.unparse(each)}` cannot be followed")
    binds = {name: each for each in statements for name in _bound(each)}
    loose = [each for each in statements if not any(True for _ in _bound(each))]
    if loose:
        raise NotShakeable(f"`{ast.unparse(loose[0])[:60]}` binds no name")
    return Module(statements, binds)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            for alias in aliases:
                yield _bound_by(alias, type(statement))
        case _:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id


def _bound_by(alias: ast.alias, kind: type[ast.stmt]) -> str:
    whole = alias.name.partition(".")[0] if kind is ast.Import else alias.name
    return alias.asname or whole


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _for_checkers(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


def _from_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == FUTURE


class _Bare(ast.NodeTransformer):
    """Takes out docstrings and annotations; fields keep one, since it makes them fields."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        node.body = _without_text(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        for each in node.body:
            if isinstance(each, ast.AnnAssign):
                each.annotation = ast.Constant(0)
        node.body = [self.visit(each) for each in _without_text(node.body)]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if isinstance(node.annotation, ast.Constant):
            return node
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], node.value, lineno=node.lineno)


def _without_text(body: list[ast.stmt]) -> list[ast.stmt]:
    return [each for each in body if not _is_text(each)] or [ast.Pass()]
