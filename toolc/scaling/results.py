"""Transformations of results: what a tool gives lies deeper."""

from __future__ import annotations

from random import Random

from toolc.generate import trees
from toolc.importing.names import unique, words
from toolc.importing.spec import field, label, scalar
from toolc.node import NOWHERE
from toolc.rewriting.calls import Rewrite, rewritten, with_returns
from toolc.rewriting.spec import Spec
from toolc.scaling.parameters import put
from toolc.scaling.transformation import body_of, is_list, plain, require
from toolc.syntax import tree


def nest_results(spec: Spec, name: str, random: Random) -> Spec:
    """The result stands under a name of its own: a list beside the number of its members."""
    tool = spec.tools[name]
    body = body_of(tool)
    bare = plain(spec, tool.result)
    null = isinstance(bare, tree.LiteralType) and bare.values == (None,)
    require(not null, "it gives nothing")
    several = is_list(spec, tool.result)
    inner = "items" if several else _noun(name)
    found = unique("all_items", spec.names)

    def wrapped(value: tree.Expr) -> tree.Expr:
        counted = [("count", trees.call("len", value))] if several else []
        return trees.record([*counted, (inner, value)])

    def give(value: tree.Expr) -> tuple[tree.Statement, ...]:
        if not several:
            return (trees.give(wrapped(value)),)
        kept = tree.Let(NOWHERE, (label(found),), tool.result, value, False)
        return (kept, trees.give(wrapped(trees.ref(found))))

    counter = (field("count", scalar("int")),) if several else ()
    result = tree.RecordType(NOWHERE, (*counter, field(inner, tool.result)), False)
    changed = tool.replace(result=result, body=with_returns(body, give))
    spec = rewritten(spec, {name: Rewrite(name, path=(inner,), stated=wrapped)})
    return put(spec, changed)


def _noun(name: str) -> str:
    """What a tool gives, by its name: without the verb."""
    rest = "_".join(words(name)[1:])
    return rest if rest and rest not in ("count", "items") else "result"
