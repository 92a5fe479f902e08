"""A hand-written spec as something to rewrite: trees, the types that the checker found, and the
text, of which only the declarations that change are written anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from toolc.analysis import core
from toolc.diagnostics.diagnostic import Diagnostic
from toolc.files import DataError, why
from toolc.node import NOWHERE, Node
from toolc.project import Loader, check_unit
from toolc.syntax import tree
from toolc.syntax.formatter import format_module


class SpecError(Exception):
    """A spec that cannot be worked on. `diagnostics` say why where the message does not."""

    def __init__(
        self,
        message: str,
        diagnostics: tuple[Diagnostic, ...] = (),
        texts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics
        self.texts = texts or {}


class Spec(NamedTuple):
    """An environment under rewriting.

    `items` are the declarations as they are now: those that did not change are the nodes of
    `module`, those that did keep the span of what they replace, and new ones have none.
    `definition` is what the checker made of the original; `used` are the declarations of the files
    that it uses, whose texts (with its own) are `texts` by path. `others` name the environments
    that are compiled together with this one.
    """

    path: str
    module: tree.Module
    items: tuple[tree.Item, ...]
    definition: core.EnvironmentDef
    used: tuple[tree.Item, ...]
    texts: Mapping[str, str]
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def tools(self) -> dict[str, tree.Tool]:
        return {item.name.text: item for item in self.items if isinstance(item, tree.Tool)}

    @property
    def scenarios(self) -> dict[str, tree.Scenario]:
        return {item.name.text: item for item in self.items if isinstance(item, tree.Scenario)}

    @property
    def types(self) -> dict[str, tree.Item]:
        """The declared types, those of used files among them."""
        every = (*self.used, *self.items)
        return {item.name.text: item for item in every if isinstance(item, _TYPES)}

    @property
    def tables(self) -> dict[str, tree.Table]:
        return {item.name.text: item for item in self.items if isinstance(item, tree.Table)}

    @property
    def names(self) -> set[str]:
        """Every name that stands anywhere in the spec, so that a new one clashes with none."""
        return set().union(*map(_names_in, (*self.used, *self.items)))

    def replaced(self, change: Callable[[tree.Item], tree.Item | None]) -> Spec:
        """The spec with each declaration changed; those for which None is given are left out."""
        made = (change(item) for item in self.items)
        return self._replace(items=tuple(item for item in made if item is not None))

    def with_items(self, further: Iterable[tree.Item], before: str) -> Spec:
        """The spec with more declarations before the tool or scenario of this name."""
        at = next(
            place
            for place, item in enumerate(self.items)
            if isinstance(item, (tree.Tool, tree.Scenario)) and item.name.text == before
        )
        return self._replace(items=(*self.items[:at], *further, *self.items[at:]))

    def text(self) -> str:
        """The spec's text, formatted. Comments within declarations that changed are lost."""
        source = self.texts[self.path]
        kept = {item.span.start: item for item in self.items if item.span != NOWHERE}
        originals = {item.span.start: item for item in self.module.items}
        pieces: list[str] = []
        at = 0
        waiting: list[tree.Item] = []
        before: dict[int, list[tree.Item]] = {}
        for item in self.items:
            if item.span == NOWHERE:
                waiting.append(item)
            else:
                before[item.span.start] = waiting
                waiting = []
        for start, original in originals.items():
            now = kept.get(start)
            if now is None:
                at = _after_gap(pieces, source, at, original)
                continue
            pieces.append(source[at:start])
            pieces += [item_text(each) + "\n\n" for each in before[start]]
            pieces.append(source[start : now.span.end] if now is original else item_text(now))
            at = original.span.end
        pieces += ["\n\n" + item_text(each) for each in waiting]
        pieces.append(source[at:])
        return formatted("".join(pieces), self.path)


@lru_cache(maxsize=20_000)
def _names_in(item: tree.Item) -> frozenset[str]:
    found: set[str] = set()
    for node in nodes(item):
        if isinstance(node, tree.Name):
            found.add(node.text)
        elif isinstance(node, (tree.Ref, tree.NamedType)):
            found.add(node.name)
    return frozenset(found)


_TYPES = (tree.Alias, tree.Enum, tree.Record, tree.Union)


def _after_gap(pieces: list[str], source: str, at: int, gone: tree.Item) -> int:
    """Keeps what stands before a declaration that is left out; where to go on."""
    pieces.append(source[at : gone.span.start].rstrip() + "\n\n")
    return gone.span.end


def item_text(item: tree.Item) -> str:
    """The text of a declaration, without comments."""
    module = tree.Module(NOWHERE, tree.Number(NOWHERE, "1"), (item,), ())
    return format_module(module, "").removeprefix("toolc 1").strip("\n")


def formatted(text: str, path: str) -> str:
    """The text in canonical form. It must parse."""
    from toolc.syntax.parser import parse

    parsed = parse(text, path)
    if parsed.module is None or any(each.severity == "error" for each in parsed.diagnostics):
        raise SpecError(f"`{path}` cannot be written", parsed.diagnostics, {path: text})
    return format_module(parsed.module, text)


def nodes(part: object) -> Iterator[Node]:
    """Every node of a tree, outer ones first."""
    if isinstance(part, Node):
        yield part
        for name in part.fields:
            yield from nodes(getattr(part, name))
    elif isinstance(part, (tuple, list)):
        for each in part:
            yield from nodes(each)


# ---------------------------------------------------------------- reading


def load(path: str, texts: Mapping[str, str] | None = None) -> Spec:
    """The spec at a path, checked; `texts` has what is taken to stand in a file instead of what
    does. Raises `SpecError` where it has errors or declares no environment."""
    loaded = Loader(texts).load(path)
    shown = {name: source.text for name, source in loaded.sources.items()}
    if loaded.unit is None:
        raise SpecError(f"`{path}` has errors", loaded.diagnostics, shown)
    if loaded.environment is None:
        raise SpecError(f"`{path}` declares no environment")
    checked = check_unit(loaded.unit)
    if checked.environment is None:
        raise SpecError(f"`{path}` has errors", checked.diagnostics, shown)
    modules = loaded.unit.modules
    used = tuple(item for name in modules if name != path for item in modules[name].items)
    module = modules[path]
    return Spec(path, module, module.items, checked.environment, used, shown)


def data_files(spec: Spec) -> Iterator[tuple[str, bytes]]:
    """The data files that its tables name, by those names. Raises `SpecError`."""
    from toolc.compiler import read_data

    folder = os.path.dirname(spec.path) or "."
    for table in spec.definition.tables:
        if table.file is not None:
            try:
                yield table.file, read_data(folder, table.file)
            except DataError as error:
                reason = error.values.get("reason", error.code)
                raise SpecError(f"`{table.file}` cannot be read: {reason}") from None
            except OSError as error:
                raise SpecError(f"`{table.file}` cannot be read: {why(error)}") from None


def files_of(spec: Spec) -> dict[str, bytes]:
    """The files of a spec by their paths below its folder: itself, what it uses, its data."""
    folder = os.path.dirname(spec.path)
    made = {
        os.path.relpath(path, folder or "."): text.encode() for path, text in spec.texts.items()
    }
    return made | {os.path.basename(spec.path): spec.text().encode()} | dict(data_files(spec))
