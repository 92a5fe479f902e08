"""Checking `{…}`: records, cases of unions, dicts, JSON objects."""

from __future__ import annotations

from toolc.analysis import core, flow
from toolc.analysis import types as t
from toolc.analysis.checker import NULL_HELP, Checker
from toolc.analysis.coerce import (
    assignable,
)
from toolc.analysis.names import listed, suggest
from toolc.analysis.types import Type
from toolc.node import Span
from toolc.syntax import tree


class Objects(Checker):
    """An expected type decides what an object is; without one, quoted labels mean a dict."""

    def _object(self, node: tree.Object, expected: Type | None) -> core.Expr:
        wanted = t.strip(t.required(expected)) if expected is not None else None
        if isinstance(wanted, t.Record):
            return self._record(node, wanted, wanted.members, wanted.open)
        if isinstance(wanted, (t.Union, t.Case)):
            return self._union(node, wanted)
        if isinstance(wanted, t.Dict):
            return self._dict(node, wanted)
        if wanted == t.JSON:
            return self._inline_record(node, t.JSON)
        entries = [entry for entry in node.entries if isinstance(entry, tree.Entry)]
        if entries and all(entry.label.quoted for entry in entries):
            return self._dict(node, None)
        return self._inline_record(node, None)

    def _record(
        self, node: tree.Object, kind: Type, members: tuple[t.FieldType, ...], open_: bool
    ) -> core.Expr:
        fields = {member.name: member for member in members}
        given: dict[str, Span] = {}
        spread_fields: set[str] = set()
        entries = []
        for entry in node.entries:
            if isinstance(entry, tree.Spread):
                value, names = self._spread(entry, fields, open_, kind)
                spread_fields |= names
                entries.append(core.EntryOf(None, value))
                continue
            name = entry.label.text
            if name in given:
                self.report("TC0202", entry.label.span, name=name)
            given[name] = entry.label.span
            field = fields.get(name)
            if field is None and not open_:
                self.report(
                    "TC0315",
                    entry.label.span,
                    name=name,
                    type=t.show(kind),
                    help=suggest(name, set(fields) - set(given)),
                )
                self.expr(entry.value)
                continue
            entries.append(
                core.EntryOf(name, self.check(entry.value, field.type if field else t.JSON))
            )
        missing = [
            name
            for name, field in fields.items()
            if name not in given
            and name not in spread_fields
            and not field.optional
            and not field.has_default
        ]
        if missing:
            return self.wrong("TC0316", node.span, type=t.show(kind), names=listed(missing))
        for name, field in fields.items():
            if field.has_default and name not in given and name not in spread_fields:
                default = core.Constant(node.span, field.type, field.default)
                entries.append(
                    core.EntryOf(name, self.declarations.written(self.file, default, name))
                )
        return core.RecordOf(node.span, kind, tuple(entries))

    def _spread(
        self, entry: tree.Spread, fields: dict[str, t.FieldType], open_: bool, kind: Type
    ) -> tuple[core.Expr, set[str]]:
        value = self.expr(entry.value)
        bare = t.strip(value.type)
        if isinstance(bare, t.Optional):
            return self.wrong("TC0311", value.span, type=t.show(value.type), help=NULL_HELP), set(
                fields
            )
        if not isinstance(bare, (t.Record, t.Case)):
            if bare != t.NEVER:
                self.report("TC0301", value.span, expected=t.show(kind), found=t.show(value.type))
            return value, set(fields)
        for member in bare.members:
            field = fields.get(member.name)
            if field is None and not open_:
                self.report("TC0315", value.span, name=member.name, type=t.show(kind))
            elif field is not None and not assignable(member.type, field.type):
                self.report(
                    "TC0301", value.span, expected=t.show(field.type), found=t.show(member.type)
                )
        return value, {member.name for member in bare.members if not member.optional}

    def _union(self, node: tree.Object, wanted: t.Union | t.Case) -> core.Expr:
        cases = flow.cases_of(wanted)
        tag = wanted.tag
        chosen: str | None = None
        for entry in node.entries:
            if isinstance(entry, tree.Entry) and entry.label.text == tag:
                if not isinstance(entry.value, tree.String) or entry.value.value not in cases:
                    text = entry.value.value if isinstance(entry.value, tree.String) else ""
                    return self.wrong(
                        "TC0317", entry.value.span, tag=tag, type=t.show(wanted),
                        help=suggest(text, cases) or (f"the cases are {listed(cases)}",),
                    )  # fmt: skip
                chosen = entry.value.value
            elif isinstance(entry, tree.Spread) and chosen is None:
                bare = t.strip(self.expr(entry.value).type)
                if isinstance(bare, t.Case) and len(bare.values) == 1:
                    chosen = bare.values[0]
        if chosen is None:
            return self.wrong(
                "TC0317",
                node.span,
                tag=tag,
                type=t.show(wanted),
                help=(f"the cases are {listed(cases)}",),
            )
        case = cases[chosen]
        return self._record(node, case, case.members, False)

    def _dict(self, node: tree.Object, wanted: t.Dict | None) -> core.Expr:
        entries: list[core.DictEntry] = []
        seen: set[str] = set()
        for entry in node.entries:
            if isinstance(entry, tree.Spread):
                value = self.expr(entry.value, wanted)
                if not isinstance(t.strip(value.type), t.Dict) and value.type != t.NEVER:
                    value = self.wrong(
                        "TC0301", value.span, expected="dict", found=t.show(value.type)
                    )
                entries.append(core.DictEntry(None, value))
                continue
            name = entry.label.text
            if name in seen:
                self.report("TC0202", entry.label.span, name=name)
            seen.add(name)
            key: core.Expr = core.Constant(entry.label.span, t.STR, name)
            if wanted is not None and t.strip(wanted.key) == t.INT:
                if not name.lstrip("-").isdigit():
                    key = self.wrong("TC0301", entry.label.span, expected="int", found="str")
                else:
                    key = core.Constant(entry.label.span, t.INT, int(name))
            elif wanted is not None:
                key = self.fit(key, wanted.key)
            value = (
                self.check(entry.value, wanted.value)
                if wanted is not None
                else self.expr(entry.value)
            )
            entries.append(core.DictEntry(key, value))
        if wanted is not None:
            return core.DictOf(node.span, wanted, tuple(entries))
        values = [entry.value for entry in entries if entry.key is not None]
        kind = self.join_all(values)
        fitted = tuple(
            core.DictEntry(entry.key, self.fit(entry.value, kind))
            if entry.key is not None
            else entry
            for entry in entries
        )
        return core.DictOf(node.span, t.Dict(t.STR, kind), fitted)

    def _inline_record(self, node: tree.Object, kind: Type | None) -> core.Expr:
        entries = []
        members: dict[str, t.FieldType] = {}
        for entry in node.entries:
            if isinstance(entry, tree.Spread):
                value = self.expr(entry.value)
                bare = t.strip(value.type)
                if isinstance(bare, (t.Record, t.Case)):
                    members |= {member.name: member for member in bare.members}
                elif bare != t.NEVER and not (kind == t.JSON and isinstance(bare, t.Dict)):
                    value = self.wrong(
                        "TC0301", value.span, expected="a record", found=t.show(value.type)
                    )
                entries.append(core.EntryOf(None, value))
                continue
            name = entry.label.text
            if any(isinstance(e, core.EntryOf) and e.name == name for e in entries):
                self.report("TC0202", entry.label.span, name=name)
            value = self.check(entry.value, t.JSON) if kind == t.JSON else self.expr(entry.value)
            entries.append(core.EntryOf(name, value))
            members[name] = t.FieldType(name, value.type)
        fields = tuple(members.values())
        record = t.Record("", lambda: fields)
        return core.RecordOf(node.span, record, tuple(entries))
