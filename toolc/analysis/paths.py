"""Checking names, and the fields, keys and indexes that lead on from them."""

from __future__ import annotations

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS
from toolc.analysis.checker import NULL_HELP, Checker
from toolc.analysis.constants import NotConstant
from toolc.analysis.declare import File
from toolc.analysis.names import listed, respell, suggest
from toolc.analysis.types import Type
from toolc.diagnostics.diagnostic import Edit, Fix
from toolc.node import Span
from toolc.syntax import tree


class Paths(Checker):
    """Names and what is read from their values."""

    def _ref(self, node: tree.Ref, expected: Type | None) -> core.Expr:
        symbol = self.scope.find(node.name)
        if symbol is not None:
            return core.Local(node.span, symbol.type, symbol)
        found = self.file.values.get(node.name)
        if found is not None:
            return self._declared(node, *found)
        if node.name in _FOREIGN_NAMES:
            edit = Edit(node.span, _FOREIGN_NAMES[node.name])
            return self.wrong(
                "TC0201",
                node.span,
                name=node.name,
                help=(f"toolc writes `{_FOREIGN_NAMES[node.name]}`",),
                fix=Fix(f"write `{_FOREIGN_NAMES[node.name]}`", (edit,)),
            )
        kind = "the built-in function" if node.name in BUILTINS else ""
        if kind:
            return self.wrong("TC0210", node.span, name=node.name)
        names = [*self.scope.names(), *self.file.values]
        return self.wrong(
            "TC0201",
            node.span,
            name=node.name,
            help=suggest(node.name, names),
            fix=respell(node.span, node.name, names),
        )

    def _declared(self, node: tree.Ref, file: File, item: tree.Item) -> core.Expr:
        name = node.name
        if isinstance(item, tree.Const):
            kind, value = self.declarations.constant(file, item) or (t.NEVER, None)
            if self.context.kind == "constant":
                return self.declarations.written(
                    self.file, core.Constant(node.span, kind, value), name
                )
            if isinstance(value, (list, dict)):
                return core.ConstantRef(node.span, kind, name)
            return core.Constant(node.span, kind, value)
        if isinstance(item, (tree.Function, tree.Tool)):
            return self.wrong("TC0210", node.span, name=name)
        if self.context.kind == "constant":
            raise NotConstant(node.span)
        if file is not self.declarations.main:
            return self.wrong("TC0201", node.span, name=name)
        if isinstance(item, tree.Table):
            return core.TableRef(node.span, self.declarations.tables[name], name)
        return core.ScalarRef(node.span, self.declarations.scalars[name], name)

    def _attribute(self, node: tree.Attribute, expected: Type | None) -> core.Expr:
        if isinstance(node.base, tree.Ref) and self._is_container(node.base.name, node.name.text):
            edit = Edit(Span(node.base.span.start, node.name.span.start), "")
            fix = Fix(f"write `{node.name.text}`", (edit,))
            self.report("TC0201", node.base.span, name=node.base.name, fix=fix)
            return self.expr(tree.Ref(node.name.span, node.name.text))
        base = self.base(node.base)
        bare = t.strip(base.type)
        name = node.name.text
        if bare == t.NEVER:
            return base
        if isinstance(bare, t.Optional):
            return self.wrong("TC0311", base.span, type=t.show(base.type), help=NULL_HELP)
        if isinstance(bare, t.Union):
            return self._union_field(node, base, bare)
        if isinstance(bare, (t.Record, t.Case)):
            field = bare.field(name)
            if field is not None:
                kind = t.optional(field.type) if field.optional else field.type
                return core.Field(node.span, kind, base, name, field.optional)
            if isinstance(bare, t.Record) and bare.open:
                return core.Field(node.span, t.JSON, base, name, True)
            names = [member.name for member in bare.members]
            return self.wrong(
                "TC0315",
                node.name.span,
                name=name,
                type=t.show(bare),
                help=suggest(name, names),
                fix=respell(node.name.span, name, names),
            )
        help: tuple[str, ...] = ()
        if isinstance(bare, t.Dict):
            help = (f'a dict is read by key: `["{name}"]`',)
        elif isinstance(bare, t.TableType):
            help = (f"a table is read by key: `{bare.name}[…].{name}`",)
        sized = isinstance(bare, (t.List, t.Dict, t.TableType)) or t.is_text(bare)
        size: Fix | None = None
        if sized and name in ("length", "size", "count"):
            start, end = node.base.span
            edits = (Edit(Span(start, start), "len("), Edit(Span(end, node.span.end), ")"))
            size = Fix("write `len(…)`", edits)
        return self.wrong(
            "TC0318", node.name.span, name=name, type=t.show(bare), help=help, fix=size
        )

    def _is_container(self, base: str, name: str) -> bool:
        """Whether `base.name` is `state.orders`, where a table or state is meant."""
        declared = self.file.values.get(name, (None, None))[1]
        return (
            base in _CONTAINERS
            and self.scope.find(base) is None
            and base not in self.file.values
            and isinstance(declared, (tree.Table, tree.State))
        )

    def _union_field(self, node: tree.Attribute, base: core.Expr, union: t.Union) -> core.Expr:
        name = node.name.text
        cases = union.cases
        if name == union.tag:
            return core.Field(node.span, t.Literals(tuple(cases)), base, name, False)
        fields = [case.field(name) for case in cases.values()]
        if all(field is not None for field in fields):
            field = fields[0]
            assert field is not None
            kind = t.optional(field.type) if field.optional else field.type
            return core.Field(node.span, kind, base, name, field.optional)
        having = [tag for tag, field in zip(cases, fields, strict=True) if field is not None]
        if having:
            return self.wrong(
                "TC0319",
                node.name.span,
                name=name,
                type=union.name,
                cases=listed(having),
                tag=union.tag,
            )
        names = {member.name for case in cases.values() for member in case.members}
        return self.wrong(
            "TC0315", node.name.span, name=name, type=union.name, help=suggest(name, names)
        )

    def _index(self, node: tree.Index, expected: Type | None) -> core.Expr:
        base = self.base(node.base)
        bare = t.strip(base.type)
        if isinstance(bare, t.TableType) and isinstance(base, core.TableRef):
            return self.lookup(node, base, bare)
        if len(node.indices) != 1:
            return self.wrong("TC0320", node.span, type=t.show(bare))
        index = node.indices[0]
        if bare == t.NEVER:
            self.expr(index)
            return base
        if isinstance(bare, t.Optional):
            return self.wrong("TC0311", base.span, type=t.show(base.type), help=NULL_HELP)
        if isinstance(bare, t.Dict):
            return core.Item(node.span, bare.value, base, self.check(index, bare.key))
        if isinstance(bare, t.List):
            return core.At(node.span, bare.item, base, self.check(index, t.INT))
        if t.is_text(bare):
            return core.At(node.span, t.STR, base, self.check(index, t.INT))
        help: tuple[str, ...] = ()
        fix: Fix | None = None
        if isinstance(bare, (t.Record, t.Case, t.Union)) and isinstance(index, tree.String):
            label = index.value if index.value.isidentifier() else f'"{index.value}"'
            help = (f"a field is read with a point: `.{label}`",)
            edit = Edit(Span(node.base.span.end, node.span.end), f".{label}")
            fix = Fix(f"write `.{label}`", (edit,))
        return self.wrong("TC0321", node.span, type=t.show(bare), help=help, fix=fix)

    def lookup(self, node: tree.Index, table: core.TableRef, kind: t.TableType) -> core.Expr:
        if len(node.indices) != len(kind.keys):
            return self.wrong(
                "TC0322", node.span, table=kind.name, wanted=len(kind.keys), found=len(node.indices)
            )
        keys = tuple(
            self.check(index, key) for index, key in zip(node.indices, kind.keys, strict=True)
        )
        key = keys[0] if len(keys) == 1 else core.TupleOf(node.span, t.Tuple(kind.keys), keys)
        return core.Lookup(node.span, kind.row, table, key)

    def _slice(self, node: tree.Slice, expected: Type | None) -> core.Expr:
        base = self.expr(node.base)
        bare = t.strip(base.type)
        start = self.check(node.start, t.INT) if node.start is not None else None
        stop = self.check(node.stop, t.INT) if node.stop is not None else None
        if isinstance(bare, t.List) or t.is_text(bare):
            kind = bare if isinstance(bare, t.List) else t.STR
            return core.SliceOf(node.span, kind, base, start, stop)
        if bare == t.NEVER:
            return base
        return self.wrong("TC0321", node.span, type=t.show(bare))


_CONTAINERS = frozenset(["state", "self", "this", "db", "database", "tables", "data", "env"])
_FOREIGN_NAMES = {"nil": "null", "undefined": "null"}
