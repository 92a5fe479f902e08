"""Emitted Python as text: which definitions two files differ in, and what rests on them.

Nothing of it runs. Comments, layout and docstrings are of no account: the first two are no
behaviour, the last stands in the schemas.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Unreadable(Exception):
    """A text that is no Python that can be read."""


class Code(NamedTuple):
    """The definitions of a module by name, each as a text that is the same for the same code; the
    names that each mentions; and its tables from texts to names, such as `TOOLS`."""

    texts: Mapping[str, str]
    mentions: Mapping[str, frozenset[str]]
    tables: Mapping[str, Mapping[str, str]]

    def reached(self, name: str) -> set[str]:
        """A definition and all that it rests on."""
        found, waiting = {name}, [name]
        while waiting:
            fresh = self.mentions.get(waiting.pop(), frozenset()) - found
            found |= fresh
            waiting.extend(fresh)
        return found


NO_CODE = Code({}, {}, {})


def read_code(text: str) -> Code:
    """The definitions of a module's text. Raises `Unreadable`."""
    try:
        module = ast.parse(text)
        _drop_docstrings(module)
        named = [each for node in module.body for each in _named(node)]
        texts: dict[str, str] = {}
        mentions: dict[str, frozenset[str]] = {}
        for name, node in named:
            texts[name] = texts.get(name, "") + ast.dump(node)
            mentions[name] = mentions.get(name, frozenset()) | frozenset(
                each.id for each in ast.walk(node) if isinstance(each, ast.Name)
            )
        tables = {name: _table(node.value) for name, node in named if isinstance(node, _ASSIGNED)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unreadable("it is no Python that can be read") from None
    return Code(texts, mentions, {name: table for name, table in tables.items() if table})


def changed(before: Code, after: Code) -> set[str]:
    """The names whose definitions differ, or that one side alone has."""
    names = before.texts.keys() | after.texts.keys()
    return {name for name in names if before.texts.get(name) != after.texts.get(name)}


def rest_on(names: set[str], before: Code, after: Code, table: str) -> set[str]:
    """The keys of a table, such as the tools of `TOOLS`, whose code rests on one of the names."""
    return {
        key
        for code in (before, after)
        for key, name in code.tables.get(table, {}).items()
        if code.reached(name) & names
    }


_ASSIGNED = (ast.Assign, ast.AnnAssign)


def _named(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """What a statement defines, with what defines it; imports define what they name."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, node
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name, node
        case ast.Import(names=names):
            yield from ((each.asname or each.name, ast.Import([each])) for each in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            for each in names:
                yield each.asname or each.name, ast.ImportFrom(module, [each], level)
        case ast.Expr(value=ast.Constant()):
            pass
        case _:
            yield "(statements)", node


def _drop_docstrings(module: ast.Module) -> None:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]


def _table(value: ast.expr | None) -> dict[str, str]:
    """The texts and names of `{"text": name}` and `{"text": Class(name, …)}`."""
    found: dict[str, str] = {}
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            match key, item:
                case (ast.Constant(value=str(text)), ast.Name(id=name)) | (
                    ast.Constant(value=str(text)),
                    ast.Call(args=[ast.Name(id=name), *_]),
                ):
                    found[text] = name
    return found
