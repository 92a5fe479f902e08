"""Drafts: what passes from stage to stage, a spec with what its tools are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from toolc.importing.spec import write_items
from toolc.node import NOWHERE
from toolc.rewriting.calls import Rewrite, callee, in_scenario
from toolc.rewriting.spec import nodes
from toolc.syntax import tree

Json = Mapping[str, Any]


class StageError(Exception):
    """A stage that cannot go on for an environment; the message says why."""


class Draft(NamedTuple):
    """A spec under way: its declarations, and for each tool what it does in the words of the
    source that made it."""

    items: tuple[tree.Item, ...]
    meanings: Mapping[str, Json]

    @property
    def tools(self) -> Mapping[str, tree.Tool]:
        return {item.name.text: item for item in self.items if isinstance(item, tree.Tool)}

    @property
    def scenarios(self) -> tuple[tree.Scenario, ...]:
        return tuple(item for item in self.items if isinstance(item, tree.Scenario))

    @property
    def name(self) -> str:
        return next(item.name.text for item in self.items if isinstance(item, tree.Environment))

    def text(self) -> str:
        """The spec's text."""
        return write_items(self.items)


class Document(NamedTuple):
    """What models read of a tool: its description, and those of its parameters."""

    description: str
    parameters: Mapping[str, str]


class Adapter(NamedTuple):
    """How the calls of a tool become calls of another: further arguments, and the way from its
    result to what the first gave: labels and indexes."""

    arguments: tuple[tuple[str, tree.Expr], ...] = ()
    path: tuple[str | int, ...] = ()


class Change(NamedTuple):
    """A tool that takes the place of others, or of itself, with an adapter for each."""

    tool: tree.Tool
    meaning: Json
    replaces: Mapping[str, Adapter]


class Source(Protocol):
    """Who decides what the stages write: the tables, or a model."""

    def document(self, draft: Draft, tool: tree.Tool, meaning: Json) -> Document:
        """What to tell of a declared tool."""

    def merges(self, draft: Draft) -> Sequence[Change]:
        """Tools that overlap, with the one that does for all."""

    def deploy(self, draft: Draft) -> Draft:
        """The draft with a body for every tool that has none, and the data that bodies need."""


def described(tool: tree.Tool, document: Document) -> tree.Tool:
    """The tool with its documentation."""
    parameters = tuple(
        field.replace(description=_text(document.parameters.get(field.name.text, "")))
        for field in tool.parameters
    )
    made: tree.Tool = tool.replace(description=_text(document.description), parameters=parameters)
    return made


def _text(content: str) -> tree.Text | None:
    return tree.Text(NOWHERE, content) if content else None


# ---------------------------------------------------------------- changing tools


def with_tools(draft: Draft, change: Callable[[tree.Tool], tree.Tool]) -> Draft:
    """The draft with each tool changed in its place."""
    items = tuple(change(item) if isinstance(item, tree.Tool) else item for item in draft.items)
    return draft._replace(items=items)


def changed(draft: Draft, changes: Iterable[Change]) -> Draft:
    """The draft with tools replaced, and every plan that called them adapted. Changes that no plan
    could follow are left out."""
    rewrites: dict[str, Rewrite] = {}
    after: dict[str, tree.Tool] = {}
    meanings = dict(draft.meanings)
    for change in changes:
        if _states(draft, change):
            continue
        name = change.tool.name.text
        for old, adapter in change.replaces.items():
            rewrites[old] = _rewrite(name, adapter)
            meanings.pop(old, None)
        after[next(iter(change.replaces))] = change.tool
        meanings[name] = change.meaning
    items: list[tree.Item] = []
    for item in draft.items:
        if isinstance(item, tree.Tool) and item.name.text in rewrites:
            if item.name.text in after:
                items.append(after[item.name.text])
        elif isinstance(item, tree.Scenario):
            items.append(in_scenario(item, draft.tools, rewrites))
        else:
            items.append(item)
    kept = {item.name.text for item in items if isinstance(item, tree.Tool)}
    ordered = {name: meanings[name] for name in meanings if name in kept}
    return draft._replace(items=tuple(items), meanings=ordered)


def with_further(draft: Draft, further: Iterable[Change]) -> Draft:
    """The draft with more tools, after those that it has."""
    added = {change.tool.name.text: change for change in further}
    at = 1 + max(
        (place for place, item in enumerate(draft.items) if isinstance(item, tree.Tool)),
        default=len(draft.items) - 1,
    )
    tools = tuple(change.tool for change in added.values())
    items = (*draft.items[:at], *tools, *draft.items[at:])
    meanings = {name: change.meaning for name, change in added.items()}
    return draft._replace(items=items, meanings={**draft.meanings, **meanings})


def _states(draft: Draft, change: Change) -> bool:
    """Whether a plan states what one of the replaced tools gives, which the new one gives only as a
    part of its result."""
    stated = {
        callee(node.call)
        for item in draft.items
        if isinstance(item, tree.Scenario)
        for node in nodes(item)
        if isinstance(node, tree.Step) and node.equals is not None
    }
    return any(adapter.path and old in stated for old, adapter in change.replaces.items())


def _rewrite(name: str, adapter: Adapter) -> Rewrite:
    further = dict(adapter.arguments)
    return Rewrite(name, lambda given: {**further, **given}, tuple(adapter.path))
