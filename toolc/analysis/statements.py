"""Checking statements and places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from toolc.analysis import core, flow
from toolc.analysis import types as t
from toolc.analysis.checker import NULL_HELP
from toolc.analysis.declare import Declarations, File
from toolc.analysis.expressions import Expressions
from toolc.analysis.methods import statement_fix
from toolc.analysis.names import counted, listed, respell, suggest
from toolc.analysis.scope import Scope
from toolc.analysis.types import Type
from toolc.diagnostics.diagnostic import Applicability, Edit, Fix
from toolc.node import Node, Span
from toolc.syntax import tree

MAX_SHORT = 3
"""Characters of a name that is too short to be a misspelling of another one."""


class Statements(Expressions):
    """The checker of one body's statements. `block` returns the typed statements and whether
    control can fall out of their end. `blocks` are those around the present one, and it."""

    def __init__(self, declarations: Declarations, file: File) -> None:
        super().__init__(declarations, file)
        self.blocks: list[tree.Block] = []

    def block(self, node: tree.Block, facts: flow.Facts | None = None) -> tuple[core.Block, bool]:
        """A nested block; its names end with it, and so do facts learned in it."""
        with self.inner(facts):
            return self.statements(node)

    def statements(self, node: tree.Block) -> tuple[core.Block, bool]:
        """Statements in the present scope."""
        found: list[core.Statement] = []
        falls = True
        self.blocks.append(node)
        for statement in node.statements:
            if not falls:
                self.report("TC0501", statement.span)
                break
            typed, falls = _STATEMENTS[type(statement)](self, statement)
            if typed is not None:
                found.append(typed)
        self.blocks.pop()
        return tuple(found), falls

    def branch(self, node: tree.Block, facts: flow.Facts) -> tuple[core.Block, bool, flow.Facts]:
        """A block of a branch, and the facts at its end."""
        outer_scope, outer_facts = self.scope, self.facts
        self.scope, self.facts = Scope(outer_scope), {**outer_facts, **facts}
        body, falls = self.statements(node)
        end = self.facts
        self.scope, self.facts = outer_scope, outer_facts
        return body, falls, end

    def merge(self, ends: list[flow.Facts]) -> None:
        """After branches: what holds at the end of each that falls through."""
        if not ends:
            return
        first, *rest = ends
        self.facts = {
            where: kind
            for where, kind in first.items()
            if all(other.get(where) == kind for other in rest)
        }

    # ------------------------------------------------------------ statements

    def _let(self, node: tree.Let) -> tuple[core.Statement | None, bool]:
        wanted = self.declarations.type(self.file, node.type) if node.type is not None else None
        value = self.check(node.value, wanted) if wanted is not None else self.expr(node.value)
        if isinstance(t.strip(value.type), t.TableType):
            value = self.wrong("TC0301", value.span, expected="a value", found=t.show(value.type))
        if len(node.targets) > 1:
            bare = t.strip(value.type)
            kinds = bare.items if isinstance(bare, t.Tuple) else ()
            if len(kinds) != len(node.targets):
                if bare != t.NEVER:
                    self.report(
                        "TC0333",
                        node.targets[0].span.to(node.targets[-1].span),
                        names=counted(len(node.targets)),
                        type=t.show(value.type),
                    )
                kinds = (t.NEVER,) * len(node.targets)
            return core.Let(node.span, tuple(map(self.bind, node.targets, kinds)), value), True
        kind = wanted if wanted is not None else value.type
        if wanted is None and node.mutable and t.strip(kind) == t.NULL:
            self.report("TC0337", node.targets[0].span, name=node.targets[0].text)
            kind = t.NEVER
        symbol = self.bind(node.targets[0], kind, node.mutable)
        if (
            node.mutable
            and wanted is not None
            and not t.nullable(value.type)
            and t.nullable(wanted)
        ):
            self.facts = {**self.facts, ("local", id(symbol), True): t.required(wanted)}
        return core.Let(node.span, (symbol,), value), True

    def _assign(self, node: tree.Assign) -> tuple[core.Statement | None, bool]:
        if isinstance(node.place, tree.Ref) and node.operator == "=" and self._unbound(node.place):
            self._first_assignment(node, node.place)
            return None, True
        place = self.place(node.place)
        if place is None:
            self.expr(node.value)
            return None, True
        if node.operator == "=":
            if place.root == "table" and not place.path:
                self.report("TC0509", node.place.span)
                return None, True
            value = self.check(node.value, place.type)
        else:
            right = self.expr(node.value)
            value = self.fit(
                self.arithmetic(node.span, node.operator[0], place.value, right), place.type
            )
        self.wrote(place)
        where = flow.path(place.value)
        if (
            where is not None
            and node.operator == "="
            and t.nullable(place.type)
            and not t.nullable(value.type)
        ):
            self.facts = {**self.facts, where: t.required(place.type)}
        return core.Assign(node.span, place, value, node.operator), True

    def _unbound(self, place: tree.Ref) -> bool:
        """Whether a name stands for nothing at all."""
        return self.scope.find(place.name) is None and place.name not in self.file.values

    def _first_assignment(self, node: tree.Assign, place: tree.Ref) -> None:
        """Report `x = e` where there is no `x`, and go on as if it were declared."""
        name = place.name
        here, everywhere = self.blocks[-1], self.blocks[0]
        written = sum(
            isinstance(part, (tree.Assign, tree.Append, tree.Remove, tree.Delete))
            and _root(part.place) == name
            for part in tree_nodes(here)
        )
        word = "let" if written == 1 else "var"
        writable = [
            *(each for each in self.scope.names() if (s := self.scope.find(each)) and s.mutable),
            *self.declarations.scalars,
        ]
        near = respell(place.span, name, writable) if len(name) > MAX_SHORT else None
        local = _uses(here, name) == _uses(everywhere, name)
        start = Span(node.span.start, node.span.start)
        safe: Applicability = "safe" if near is None and local else "unsafe"
        fix = near or Fix(f"write `{word} {name} = …`", (Edit(start, f"{word} "),), safe)
        self.report("TC0201", place.span, name=name, fix=fix)
        self.scope.add(name, self.expr(node.value).type, True)

    def wrote(self, place: core.Place) -> None:
        """Forget what a write may have changed."""
        if place.symbol is not None:
            self.facts = flow.without_local(self.facts, place.symbol)
        else:
            self.facts = flow.without_places(self.facts, (place.name,))

    def _deciding(self, node: tree.Expr) -> core.Expr:
        """A condition, with a warning where it is written out as true or false."""
        if isinstance(node, tree.Bool):
            value = "true" if node.value else "false"
            self.report("TC0514", node.span, value=value, why="it is written so")
        return self.condition(node)

    def _require(self, node: tree.Require) -> tuple[core.Statement | None, bool]:
        condition = self._deciding(node.condition)
        with self.inner(flow.facts_of(condition, False)):
            error = self.check(node.error, t.JSON)
        self.facts = {**self.facts, **flow.facts_of(condition, True)}
        return core.Require(node.span, condition, error), True

    def _fail(self, node: tree.Fail) -> tuple[core.Statement | None, bool]:
        return core.FailWith(node.span, self.check(node.error, t.JSON)), False

    def _return(self, node: tree.Return) -> tuple[core.Statement | None, bool]:
        if self.context.result is None:
            self.expr(node.value)
            self.report("TC0502", node.span)
            return None, False
        return core.Return(node.span, self.check(node.value, self.context.result)), False

    def _loop_end(self, node: tree.Continue | tree.Break) -> tuple[core.Statement | None, bool]:
        word = "continue" if isinstance(node, tree.Continue) else "break"
        if not self.context.loops:
            self.report("TC0503", node.span, word=word)
            return None, False
        return (core.Continue if word == "continue" else core.Break)(node.span), False

    def _if(self, node: tree.If) -> tuple[core.Statement | None, bool]:
        branches = []
        ends: list[flow.Facts] = []
        saved = self.facts
        for branch in node.branches:
            condition = self._deciding(branch.condition)
            body, falls, end = self.branch(branch.body, flow.facts_of(condition, True))
            branches.append((condition, body))
            if falls:
                ends.append(end)
            self.facts = {**self.facts, **flow.facts_of(condition, False)}
        otherwise = None
        if node.otherwise is not None:
            otherwise, falls, end = self.branch(node.otherwise, {})
            if falls:
                ends.append(end)
        else:
            ends.append(self.facts)
        self.facts = saved
        self.merge(ends)
        return core.If(node.span, tuple(branches), otherwise), bool(ends)

    def _for(self, node: tree.For) -> tuple[core.Statement | None, bool]:
        source = self.source(node.source)
        self.facts = flow.without_mutable(self.facts)
        with self.inner():
            targets = self.targets(node.targets, source)
            condition = None
            if node.condition is not None:
                condition = self.condition(node.condition)
                self.facts = {**self.facts, **flow.facts_of(condition, True)}
            self.context.loops += 1
            body, _ = self.statements(node.body)
            self.context.loops -= 1
        return core.For(node.span, targets, source, condition, body), True

    def _match(self, node: tree.Match) -> tuple[core.Statement | None, bool]:
        subject = self.expr(node.subject)
        bare = t.strip(subject.type)
        cases = flow.cases_of(bare)
        values = tuple(cases) if cases else t.literal_values(bare)
        if isinstance(bare, t.Optional):
            self.report("TC0311", subject.span, type=t.show(subject.type), help=NULL_HELP)
            return None, True
        if values is None and bare != t.STR:
            if bare != t.NEVER:
                self.report("TC0338", subject.span, type=t.show(subject.type))
            return None, True
        self._labels(node, subject.type, values)
        where = flow.path(subject)
        typed, ends, seen = [], [], set[str]()
        for case in node.cases:
            names = [
                value.value for value in case.values if values is None or value.value in values
            ]
            seen.update(names)
            facts: flow.Facts = {}
            if where is not None and names:
                narrowed: Type = (
                    flow.narrow_cases(bare, names) if cases else t.Literals(tuple(names))
                )
                facts = {where: narrowed}
            body, falls, end = self.branch(case.body, facts)
            typed.append((tuple(names), body))
            if falls:
                ends.append(end)
        otherwise = None
        if node.otherwise is not None:
            left = [value for value in values or () if value not in seen]
            facts = (
                {where: flow.narrow_cases(bare, left)}
                if where is not None and cases and left
                else {}
            )
            otherwise, falls, end = self.branch(node.otherwise, facts)
            if falls:
                ends.append(end)
        elif values is None or set(values) - seen:
            ends.append(self.facts)
        self.merge(ends)
        tag = next(iter(cases.values())).tag if cases else None
        return core.Match(node.span, subject, tag, tuple(typed), otherwise), bool(ends)

    def _labels(self, node: tree.Match, kind: Type, values: tuple[str, ...] | None) -> None:
        """Report labels that are no value, that stand twice, or that are missing."""
        seen: set[str] = set()
        for label in (value for case in node.cases for value in case.values):
            if values is not None and label.value not in values:
                near = suggest(label.value, values)
                self.report("TC0309", label.span, value=label.value, type=t.show(kind), help=near)
            elif label.value in seen:
                self.report("TC0202", label.span, name=label.value)
            seen.add(label.value)
        missing = None if values is None else [value for value in values if value not in seen]
        if node.otherwise is None and missing != []:
            what = "any other text" if missing is None else listed(missing)
            self.report("TC0339", Span(node.span.start, node.subject.span.end), missing=what)

    def _insert(self, node: tree.Insert) -> tuple[core.Statement | None, bool]:
        target: tree.Expr = node.place
        indices: tuple[tree.Expr, ...] = ()
        if isinstance(node.place, tree.Index):
            target, indices = node.place.base, node.place.indices
        table = self.expr(target)
        if not isinstance(table, core.TableRef) or not isinstance(table.type, t.TableType):
            if table.type != t.NEVER:
                self.report("TC0453", node.place.span)
            return None, True
        self.may_write(node.place)
        declared = self.declarations.main.values[table.name][1]
        assert isinstance(declared, tree.Table)
        outside = any(key.type is not None for key in declared.keys)
        value = self.check(node.value, table.type.row)
        key: core.Expr | None = None
        if outside != bool(indices):
            self.report("TC0454" if outside else "TC0455", node.place.span, table=table.name)
        elif outside:
            found = self.lookup(tree.Index(node.place.span, target, indices), table, table.type)
            key = found.key if isinstance(found, core.Lookup) else None
        self.facts = flow.without_places(self.facts, (table.name,))
        fields = () if outside else tuple(name.name.text for name in declared.keys)
        return core.Insert(node.span, table.name, key, fields, value), True

    def _append(self, node: tree.Append) -> tuple[core.Statement | None, bool]:
        place = self.place(node.place)
        bare = t.strip(place.type) if place is not None else t.NEVER
        if place is None or not isinstance(bare, t.List):
            self.expr(node.value)
            if place is not None and bare != t.NEVER:
                self.report("TC0340", node.place.span, type=t.show(place.type), word="append")
            return None, True
        if bare.item == t.NEVER and place.symbol is not None and not place.path:
            self.report("TC0337", node.place.span, name=place.symbol.name)
        value = self.check(node.value, bare.item)
        self.wrote(place)
        return core.Append(node.span, place, value), True

    def _remove(self, node: tree.Remove) -> tuple[core.Statement | None, bool]:
        place = self.place(node.place)
        bare = t.strip(place.type) if place is not None else t.NEVER
        if place is None or not isinstance(bare, t.List):
            self.expr(node.value)
            if place is not None and bare != t.NEVER:
                self.report("TC0340", node.place.span, type=t.show(place.type), word="remove")
            return None, True
        value = self.check(node.value, bare.item)
        self.wrote(place)
        return core.Remove(node.span, place, value), True

    def _delete(self, node: tree.Delete) -> tuple[core.Statement | None, bool]:
        place = self.place(node.place)
        if place is None:
            return None, True
        last = place.path[-1] if place.path else None
        inner = place.value.value if isinstance(place.value, core.Narrowed) else place.value
        deletable = isinstance(last, core.KeyStep) or (
            isinstance(inner, core.Field) and inner.optional
        )
        if not deletable:
            self.report("TC0456", node.place.span)
            return None, True
        self.wrote(place)
        return core.Delete(node.span, place), True

    def _expect(self, node: tree.Expect) -> tuple[core.Statement | None, bool]:
        if self.context.kind != "test":
            self.report("TC0504", node.span)
        value = self.expr(node.value) if node.fails else self.condition(node.value)
        error = self.check(node.error, t.JSON) if node.error is not None else None
        return core.Expect(node.span, value, node.fails, error), True

    def _advance(self, node: tree.Advance) -> tuple[core.Statement | None, bool]:
        if self.context.kind not in ("test", "given"):
            self.report("TC0505", node.span)
        return core.Advance(node.span, self.check(node.by, t.DURATION)), True

    def _call_statement(self, node: tree.CallStatement) -> tuple[core.Statement | None, bool]:
        match node.call:
            case tree.Call(base=tree.Attribute(name=name)) as call if fix := statement_fix(call):
                self.report("TC0213", name.span, name=name.text, fix=fix)
                return None, True
        value = self.expr(node.call)
        if not isinstance(value, core.CallFunction):
            if value.type != t.NEVER:
                self.report("TC0506", node.span)
            return None, True
        return core.Evaluate(node.span, value), True

    # ------------------------------------------------------------ places

    def may_write(self, node: tree.Expr) -> bool:
        """Whether state may be written here; reported if not."""
        if not self.context.writes:
            self.report("TC0507", node.span, kind=self.context.kind)
        return self.context.writes

    def place(self, node: tree.Expr) -> core.Place | None:
        """Where a write goes; None after a report."""
        value = self.expr(node)
        if value.type == t.NEVER and not isinstance(
            value, (core.Local, core.Narrowed, core.Item, core.At)
        ):
            return None
        steps: list[Any] = []
        current = value.value if isinstance(value, core.Narrowed) else value
        kind = stored_type(current)
        while True:
            if isinstance(current, core.Narrowed):
                current = current.value
            elif isinstance(current, core.Field):
                steps.append(core.FieldStep(current.name))
                current = current.base
            elif isinstance(current, core.Item):
                steps.append(core.KeyStep(current.key))
                current = current.base
            elif isinstance(current, core.At) and isinstance(t.strip(current.base.type), t.List):
                steps.append(core.IndexStep(current.index))
                current = current.base
            elif isinstance(current, core.Lookup):
                steps.append(core.KeyStep(current.key))
                current = current.table
            else:
                break
        path = tuple(reversed(steps))
        if isinstance(current, core.Local):
            if not current.symbol.mutable:
                self.report("TC0508", node.span, name=current.symbol.name)
                return None
            return core.Place(
                node.span, kind, "local", current.symbol.name, current.symbol, path, value
            )
        if isinstance(current, (core.TableRef, core.ScalarRef)):
            if not self.may_write(node):
                return None
            if not self._tag_untouched(value, node):
                return None
            root = "table" if isinstance(current, core.TableRef) else "state"
            return core.Place(node.span, kind, root, current.name, None, path, value)
        self.report("TC0509", node.span)
        return None

    def _tag_untouched(self, value: core.Expr, node: tree.Expr) -> bool:
        inner = value.value if isinstance(value, core.Narrowed) else value
        if isinstance(inner, core.Field):
            base = t.strip(inner.base.type)
            if isinstance(base, (t.Union, t.Case)) and inner.name == base.tag:
                self.report("TC0510", node.span, name=inner.name)
                return False
        return True


def tree_nodes(value: Any) -> Iterator[Node]:
    """Every node of a syntax tree, outside in."""
    if isinstance(value, tuple):
        for part in value:
            yield from tree_nodes(part)
    elif isinstance(value, Node):
        yield value
        for name in value.fields:
            yield from tree_nodes(getattr(value, name))


def _uses(block: tree.Block, name: str) -> int:
    return sum(isinstance(node, tree.Ref) and node.name == name for node in tree_nodes(block))


def _root(node: tree.Expr) -> str:
    """The name that a place starts with."""
    while isinstance(node, (tree.Attribute, tree.Index)):
        node = node.base
    return node.name if isinstance(node, tree.Ref) else ""


def stored_type(value: core.Expr) -> Type:
    """What may be stored where an expression reads: without the null of an absent field."""
    if isinstance(value, core.Field) and value.optional:
        base = t.strip(value.base.type)
        cases = base.cases.values() if isinstance(base, t.Union) else (base,)
        for case in cases:
            field = case.field(value.name) if isinstance(case, (t.Record, t.Case)) else None
            if field is not None:
                return field.type
        return t.JSON
    return value.type


_STATEMENTS: dict[type, Callable[[Statements, Any], tuple[core.Statement | None, bool]]] = {
    tree.Let: Statements._let,
    tree.Assign: Statements._assign,
    tree.Require: Statements._require,
    tree.Fail: Statements._fail,
    tree.Return: Statements._return,
    tree.Continue: Statements._loop_end,
    tree.Break: Statements._loop_end,
    tree.If: Statements._if,
    tree.For: Statements._for,
    tree.Match: Statements._match,
    tree.Insert: Statements._insert,
    tree.Append: Statements._append,
    tree.Remove: Statements._remove,
    tree.Delete: Statements._delete,
    tree.Expect: Statements._expect,
    tree.Advance: Statements._advance,
    tree.CallStatement: Statements._call_statement,
}
