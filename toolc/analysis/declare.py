"""Declarations: which names there are, and the types that they stand for.

`Declarations` indexes the items of an environment's file and of what it `use`s, resolves type
expressions, and keeps what is resolved. Types of records and unions are filled in lazily, since
they may be recursive and in any order.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, TypeVar

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.constants import literal
from toolc.analysis.names import respell, suggest
from toolc.analysis.types import FieldType, Type
from toolc.diagnostics.diagnostic import Applicability, Edit, Fix, Note, Reporter
from toolc.node import Span
from toolc.syntax import tree
from toolc_runtime.values import plain

T = TypeVar("T")
MAX_CHAIN = 50
"""How many aliases or constants may lead to one another before their values are known."""
MAX_COPIED = 50_000
"""Members of constants and of defaults that are copied to where they are used, in all."""

TYPE_ITEMS = (tree.Alias, tree.Enum, tree.Record, tree.Union)
VALUE_ITEMS = (tree.Const, tree.Table, tree.State, tree.Function, tree.Tool)
USABLE_ITEMS = (*TYPE_ITEMS, tree.Const, tree.Function)

_COUNT, _FLAG, _TEXT = "a non-negative int", "`true` or `false`", "a text"
_BOUND, _STEP = "a number", "a number above 0"
_BOUNDS = {
    **dict.fromkeys(("minimum", "maximum", "exclusive_minimum", "exclusive_maximum"), _BOUND),
    "multiple_of": _STEP,
}
FACETS: dict[str, dict[str, str]] = {
    "int": _BOUNDS,
    "float": _BOUNDS,
    "str": {"pattern": _TEXT, "format": _TEXT, "min_length": _COUNT, "max_length": _COUNT},
    "list": {"min_items": _COUNT, "max_items": _COUNT, "unique_items": _FLAG},
    "dict": {"min_properties": _COUNT, "max_properties": _COUNT},
}


class File:
    """One file of the compilation, with its own names and reporter."""

    def __init__(self, path: str, module: tree.Module) -> None:
        self.path = path
        self.module = module
        self.reporter = Reporter(path)
        self.types: dict[str, tuple[File, tree.Item]] = {}
        self.values: dict[str, tuple[File, tree.Item]] = {}


def stem(path: str) -> str:
    """`shop` for `specs/shop.toolc`."""
    return path.replace("\\", "/").rpartition("/")[2].removesuffix(".toolc")


def is_reserved(item: tree.Item, name: str) -> bool:
    """Whether a declaration may not have the name, since emitted code has other uses for it.

    A table or a state is an attribute of the emitted `State`, under its own name.
    """
    if name == "_" or name.startswith(("__", "_toolc")):
        return True
    return isinstance(item, tree.Table | tree.State) and keyword.iskeyword(name)


class Declarations:
    """The names and types of one environment."""

    def __init__(self, files: Mapping[str, File], main: File) -> None:
        self.files = files
        self.main = main
        self.constants: dict[str, tuple[Type, Any]] = {}
        self._evaluating: list[str] = []
        self._failed: set[str] = set()
        self._keyed: dict[str, Type] = {}
        self.evaluate: Callable[[File, tree.Expr, Type | None], tuple[Type, Any] | None]
        self._types: dict[int, Type] = {}
        self._sizes: t.Sizes = {}
        self._copied = 0
        self._resolving: list[str] = []
        self.named: dict[str, Type] = {}
        for file in files.values():
            self._index(file)
        self._check_shared()
        for file in files.values():
            self._import(file)

    # ------------------------------------------------------------ names

    def _index(self, file: File) -> None:
        seen: dict[tuple[str, str], tree.Name] = {}
        for item in file.module.items:
            if not isinstance(item, tree.NamedItem) or isinstance(item, tree.Environment):
                continue
            name = item.name
            if is_reserved(item, name.text):
                file.reporter.report("TC0205", name.span, name=name.text)
            space = (
                "type"
                if isinstance(item, TYPE_ITEMS)
                else "scenario"
                if isinstance(item, tree.Scenario)
                else "value"
            )
            if isinstance(item, tree.Invariant):
                space = "invariant"
            first = seen.setdefault((space, name.text), name)
            if first is not name:
                file.reporter.report(
                    "TC0202",
                    name.span,
                    name=name.text,
                    notes=(Note(first.span, "first declared here"),),
                )
                continue
            if space == "type":
                if name.text in t.SCALARS or name.text in ("list", "dict"):
                    file.reporter.report("TC0206", name.span, name=name.text)
                file.types[name.text] = (file, item)
            elif space == "value":
                file.values[name.text] = (file, item)

    def _check_shared(self) -> None:
        """Report what has the name of something of another file: types are compared by name."""
        seen: dict[tuple[bool, str], File] = {}
        for file in (self.main, *(file for file in self.files.values() if file is not self.main)):
            for space in (file.types, file.values):
                for name, (_, item) in space.items():
                    first = seen.setdefault((space is file.types, name), file)
                    if first is not file:
                        span = item.name.span  # type: ignore[attr-defined]
                        help = (f"`{first.path}` declares one too",)
                        file.reporter.report("TC0202", span, name=name, help=help)

    def _import(self, file: File) -> None:
        stems = {stem(other.path): other for other in self.files.values() if other is not file}
        for item in file.module.items:
            if not isinstance(item, tree.Use):
                continue
            other = stems.get(item.module.text)
            if other is None:
                file.reporter.report(
                    "TC0207",
                    item.module.span,
                    name=item.module.text,
                    help=suggest(item.module.text, stems),
                )
                continue
            for name in item.names:
                found = other.types.get(name.text) or other.values.get(name.text)
                if found is None or found[0] is not other or not isinstance(found[1], USABLE_ITEMS):
                    usable = [
                        key
                        for key, (_, it) in {**other.types, **other.values}.items()
                        if isinstance(it, USABLE_ITEMS)
                    ]
                    file.reporter.report(
                        "TC0208",
                        name.span,
                        name=name.text,
                        module=item.module.text,
                        help=suggest(name.text, usable),
                    )
                    continue
                space = file.types if isinstance(found[1], TYPE_ITEMS) else file.values
                if name.text in space:
                    file.reporter.report("TC0202", name.span, name=name.text)
                space[name.text] = found
        self._check_cycles(file, stems)

    def _check_cycles(self, file: File, stems: Mapping[str, File]) -> None:
        def reaches(current: File, seen: set[str]) -> Iterator[File]:
            for item in current.module.items:
                other = stems.get(item.module.text) if isinstance(item, tree.Use) else None
                if (
                    other is None
                    and isinstance(item, tree.Use)
                    and item.module.text == stem(file.path)
                ):
                    yield file
                if other is not None and other.path not in seen:
                    seen.add(other.path)
                    yield from reaches(other, seen)

        for item in file.module.items:
            other = stems.get(item.module.text) if isinstance(item, tree.Use) else None
            if other is not None and any(found is file for found in reaches(other, set())):
                file.reporter.report("TC0209", item.span, name=stem(other.path))

    @cached_property
    def tables(self) -> dict[str, t.TableType]:
        """The types of the environment's tables."""
        found: dict[str, t.TableType] = {}
        for item in self.main.module.items:
            if isinstance(item, tree.Table) and item.name.text not in found:
                row = self.type(self.main, item.row)
                keys = tuple(self._key(item, key, row) for key in item.keys)
                found[item.name.text] = t.TableType(item.name.text, keys, row)
        return found

    def _key(self, item: tree.Table, key: tree.Key, row: Type) -> Type:
        if key.type is not None:
            return self.type(self.main, key.type)
        file, fields = self._row_fields(self.main, item.row)
        field = next((field for field in fields if field.name.text == key.name.text), None)
        if field is None:
            near = suggest(key.name.text, [field.name.text for field in fields])
            shown = t.show(row)
            self.main.reporter.report(
                "TC0451", key.name.span, name=key.name.text, type=shown, help=near
            )
            return t.NEVER
        if field.optional:
            self.main.reporter.report("TC0459", key.span, type=f"{key.name.text}?")
        return self.type(file, field.type)

    def _row_fields(
        self, file: File, node: tree.TypeExpr, seen: tuple[tree.Item, ...] = ()
    ) -> tuple[File, tuple[tree.Field, ...]]:
        """The fields that every row has, as written: nothing is resolved, so that the keys of
        tables whose records refer to each other can be told."""
        while isinstance(node, tree.RefinedType):
            node = node.inner
        if isinstance(node, tree.RecordType):
            return file, node.members
        found = file.types.get(node.name) if isinstance(node, tree.NamedType) else None
        if found is None or found[1] in seen:
            return file, ()
        where, item = found
        if isinstance(item, tree.Alias):
            return self._row_fields(where, item.type, (*seen, item))
        if isinstance(item, tree.Record):
            return where, item.members
        return where, item.shared if isinstance(item, tree.Union) else ()

    def _key_of(self, name: str) -> Type:
        """What a `ref` to a table holds."""
        if name in self._keyed:
            return self._keyed[name]
        item = self.main.values[name][1]
        assert isinstance(item, tree.Table)
        self._keyed[name] = t.STR  # where the key is a reference to this very table
        file, fields = self._row_fields(self.main, item.row)
        key = item.keys[0]
        written = key.type
        for field in fields:
            if written is None and field.name.text == key.name.text:
                written = field.type
        if written is not None:
            kind = t.strip(self.type(self.main if key.type else file, written))
            # What is no key may refer to this very table, and would never end.
            self._keyed[name] = kind if t.is_key(kind) else t.NEVER
        return self._keyed[name]

    @cached_property
    def scalars(self) -> dict[str, Type]:
        """The types of the environment's `state` declarations."""
        return {
            item.name.text: self.type(self.main, item.type)
            for item in self.main.module.items
            if isinstance(item, tree.State)
        }

    def constant(self, file: File, item: tree.Const) -> tuple[Type, Any] | None:
        """The type and value of a constant; None after a report."""
        name = item.name.text
        if name in self._evaluating:
            help = ("it is defined by itself",)
            file.reporter.report("TC0312", item.name.span, help=help)
            self._failed.add(name)
        if len(self._evaluating) >= MAX_CHAIN:
            first = self._evaluating[0]
            file.reporter.report("TC0342", item.name.span, name=first, limit=MAX_CHAIN)
            return None
        if name not in self.constants and name not in self._failed:
            self._evaluating.append(name)
            wanted = self.type(file, item.type) if item.type is not None else None
            found = self.evaluate(file, item.value, wanted)
            self._evaluating.pop()
            if found is None or name in self._failed:
                self._failed.add(name)
            else:
                self.constants[name] = (found[0] if wanted is None else wanted, found[1])
        return self.constants.get(name)

    # ------------------------------------------------------------ types

    def type(self, file: File, node: tree.TypeExpr) -> Type:
        """The type that an expression names; `NEVER` (after a report) where it names none."""
        return _TYPES[type(node)](self, file, node)

    def _named(self, file: File, node: tree.NamedType) -> Type:
        scalar = t.SCALARS.get(node.name)
        if scalar is not None:
            return scalar
        found = file.types.get(node.name)
        if found is None:
            candidates = [*file.types, *t.SCALARS]
            alias = _ALIASES.get(node.name)
            safe: Applicability = "unsafe" if node.name == "object" else "safe"
            fix = (
                Fix(f"write `{alias}`", (Edit(node.span, alias),), safe)
                if alias
                else respell(node.span, node.name, candidates)
            )
            help = (f"toolc calls it `{alias}`",) if alias else suggest(node.name, candidates)
            if node.name in _GENERIC_NAMES:
                help = (f"say of what: `{_GENERIC_NAMES[node.name]}[…]`",)
            file.reporter.report("TC0203", node.span, name=node.name, help=help, fix=fix)
            return t.NEVER
        return self.declared(*found)

    def size(self, kinds: Iterable[Type]) -> int:
        """How many types these are, written out."""
        return sum(t.written_out(kind, self._sizes) for kind in kinds)

    def written(self, file: File, value: core.Constant, name: str) -> core.Expr:
        """The literals of a constant or of a default; NEVER where they are too many."""
        self._copied += _members(value.value)
        if self._copied > MAX_COPIED:
            file.reporter.report("TC0345", value.span, name=name, limit=MAX_COPIED)
            return core.Constant(value.span, t.NEVER, None)
        return literal(value)

    def declared(self, file: File, item: tree.Item) -> Type:
        """The type of a type declaration."""
        known = self._types.get(id(item))
        if known is None:
            known = _ITEMS[type(item)](self, file, item)
            self._types[id(item)] = known
            self.named[item.name.text] = known  # type: ignore[attr-defined]
        return known

    def _alias(self, file: File, item: tree.Alias) -> Type:
        name = item.name.text
        if name in self._resolving:
            file.reporter.report("TC0302", item.name.span, name=name)
            return t.NEVER
        if len(self._resolving) >= MAX_CHAIN:
            file.reporter.report("TC0342", item.name.span, name=self._resolving[0], limit=MAX_CHAIN)
            return t.NEVER
        self._resolving.append(name)
        inner = self.type(file, item.type)
        self._resolving.pop()
        description = item.description.value if item.description else ""
        if isinstance(inner, t.Refined) and not inner.name:
            return t.Refined(inner.inner, inner.facets, name, description)
        return t.Refined(inner, (), name, description)

    def _enum(self, file: File, item: tree.Enum) -> Type:
        description = item.description.value if item.description else ""
        return t.Enum(item.name.text, self._distinct(file, item.values), description)

    def _distinct(self, file: File, values: tuple[tree.Text, ...]) -> tuple[str, ...]:
        seen: dict[str, None] = {}
        for value in values:
            if value.value in seen:
                file.reporter.report("TC0202", value.span, name=value.value)
            seen[value.value] = None
        return tuple(seen)

    def _record(self, file: File, item: tree.Record) -> Type:
        def again() -> tuple[FieldType, ...]:
            self._endless(file, item)
            return ()

        members = _once(lambda: self.fields(file, item.members), again)
        description = item.description.value if item.description else ""
        return t.Record(item.name.text, members, item.open, description)

    def check_end(self, file: File, item: tree.Record) -> None:
        """Report a record whose every value would hold another one of it."""
        waiting = [self.declared(file, item)]
        seen: set[str] = set()
        while waiting:
            kind = waiting.pop()
            for member in kind.members if isinstance(kind, t.Record) else ():
                inner = t.strip(member.type)
                needed = not member.optional and not member.has_default
                if not needed or not isinstance(inner, t.Record):
                    continue
                if inner.name == item.name.text:
                    self._endless(file, item)
                    return
                if inner.name not in seen:
                    seen.update([inner.name] if inner.name else [])
                    waiting.append(inner)

    def _union(self, file: File, item: tree.Union) -> Type:
        name, tag = item.name.text, item.tag.text

        def cases() -> dict[str, t.Case]:
            shared = self.fields(file, item.shared)
            found: dict[str, t.Case] = {}
            for case in item.cases:
                if case.value.value in found:
                    file.reporter.report("TC0202", case.value.span, name=case.value.value)
                own = self.fields(file, case.members, (tag, *(field.name for field in shared)))
                tag_field = FieldType(tag, t.Literals((case.value.value,)))
                members = (tag_field, *shared, *own)
                value = case.value.value
                found[value] = t.Case(name, tag, (value,), partial(tuple, members))
            return found

        def again() -> dict[str, t.Case]:
            self._endless(file, item)
            return {}

        if not item.cases:
            file.reporter.report("TC0344", item.name.span, name=name)
            return t.NEVER
        description = item.description.value if item.description else ""
        return t.Union(name, tag, _once(cases, again), description)

    def _endless(self, file: File, item: tree.Record | tree.Union) -> None:
        file.reporter.report("TC0341", item.name.span, name=item.name.text)

    def fields(
        self, file: File, members: tuple[tree.Field, ...], taken: tuple[str, ...] = ()
    ) -> tuple[FieldType, ...]:
        """The fields of a record, a union's case or a parameter list."""
        found: dict[str, FieldType] = {}
        for member in members:
            name = member.name.text
            if name in found or name in taken:
                file.reporter.report("TC0202", member.name.span, name=name)
            if name.startswith("__"):
                file.reporter.report("TC0205", member.name.span, name=name)
            found[name] = self.field(file, member)
        return tuple(found.values())

    def field(self, file: File, member: tree.Field) -> FieldType:
        """One field, with its default evaluated."""
        kind = self.type(file, member.type)
        description = member.description.value if member.description else ""
        default = None
        if member.default is not None:
            evaluated = self.evaluate(file, member.default, kind)
            default = plain(evaluated[1]) if evaluated else None
        return FieldType(
            member.name.text,
            kind,
            member.optional,
            member.default is not None,
            default,
            description,
        )

    def _reference(self, file: File, node: tree.RefType) -> Type:
        name = node.table.text
        found = self.main.values.get(name)
        if found is None or not isinstance(found[1], tree.Table):
            names = [
                key for key, (_, item) in self.main.values.items() if isinstance(item, tree.Table)
            ]
            file.reporter.report("TC0204", node.table.span, name=name, help=suggest(name, names))
            return t.NEVER
        return t.Ref(name, lambda: self._key_of(name))

    def _optional(self, file: File, node: tree.OptionalType) -> Type:
        return t.optional(self.type(file, node.inner))

    def _generic(self, file: File, node: tree.GenericType) -> Type:
        wanted = {"list": 1, "dict": 2}.get(node.name)
        if wanted is None and (form := self._python_form(file, node)) is not None:
            return form
        if wanted is None:
            alias = _GENERIC_NAMES.get(node.name)
            help = (f"toolc calls it `{alias}`",) if alias else suggest(node.name, ["list", "dict"])
            span = Span(node.span.start, node.span.start + len(node.name))
            fix = Fix(f"write `{alias}`", (Edit(span, alias),)) if alias else None
            file.reporter.report("TC0203", span, name=node.name, help=help, fix=fix)
            return t.NEVER
        if len(node.arguments) != wanted:
            file.reporter.report(
                "TC0303", node.span, name=node.name, wanted=wanted, found=len(node.arguments)
            )
            return t.NEVER
        arguments = [self.type(file, argument) for argument in node.arguments]
        if node.name == "list":
            return t.List(arguments[0])
        if not (t.is_text(arguments[0]) or t.strip(arguments[0]) in (t.INT, t.NEVER)):
            file.reporter.report("TC0304", node.arguments[0].span, type=t.show(arguments[0]))
        return t.Dict(arguments[0], arguments[1])

    def _python_form(self, file: File, node: tree.GenericType) -> Type | None:
        """`Optional[T]` and `Literal["a", "b"]`, reported, as the types that they mean."""
        arguments = node.arguments
        start, end = node.span
        head = Edit(Span(start, arguments[0].span.start), "")
        tail = Span(arguments[-1].span.end, end)
        if node.name in ("Optional", "optional", "Option") and len(arguments) == 1:
            fix = Fix("write `T?`", (head, Edit(tail, "?")))
            kind: tree.TypeExpr = tree.OptionalType(node.span, arguments[0])
        elif node.name == "Literal" and all(isinstance(a, tree.LiteralType) for a in arguments):
            gaps = pairwise(arguments)
            joins = tuple(Edit(Span(a.span.end, b.span.start), " | ") for a, b in gaps)
            fix = Fix("join the values by `|`", (head, *joins, Edit(tail, "")))
            values = tuple(
                v for a in arguments if isinstance(a, tree.LiteralType) for v in a.values
            )
            kind = tree.LiteralType(node.span, values)
        else:
            return None
        name = Span(start, start + len(node.name))
        file.reporter.report("TC0203", name, name=node.name, fix=fix)
        return self.type(file, kind)

    def _inline(self, file: File, node: tree.RecordType) -> Type:
        fields = self.fields(file, node.members)
        return t.Record("", lambda: fields, node.open)

    def _literals(self, file: File, node: tree.LiteralType) -> Type:
        texts = self._distinct(file, tuple(value for value in node.values if value is not None))
        if not texts:
            return t.NULL
        kind = t.Literals(texts)
        return t.Optional(kind) if None in node.values else kind

    def _refined(self, file: File, node: tree.RefinedType) -> Type:
        inner = self.type(file, node.inner)
        bare = t.strip(inner)
        family = bare.name if isinstance(bare, t.Scalar) else type(bare).__name__.lower()
        known = FACETS.get("float" if family == "decimal" else family, {})
        facets = []
        for facet in node.facets:
            name = facet.name.text
            if bare != t.NEVER and name not in known:
                file.reporter.report(
                    "TC0305",
                    facet.name.span,
                    name=name,
                    type=t.show(inner),
                    help=suggest(name, known),
                    fix=_facet_fix(facet.name.span, name, known),
                )
                continue
            evaluated = self.evaluate(file, facet.value, None)
            if evaluated is None or bare == t.NEVER:
                continue
            value = evaluated[1]
            if not _FACET_VALUES[known[name]](value):
                file.reporter.report("TC0306", facet.value.span, name=name, wanted=known[name])
                continue
            facets.append((name, value))
        low, high = dict(facets).get("minimum"), dict(facets).get("maximum")
        if low is not None and high is not None and low > high:
            file.reporter.report("TC0307", node.span, low=low, high=high)
        pattern = dict(facets).get("pattern")
        if pattern is not None:
            self._check_pattern(file, node, pattern)
        return t.Refined(inner, tuple(facets))

    def _check_pattern(self, file: File, node: tree.RefinedType, pattern: str) -> None:
        from toolc_runtime.errors import SchemaError
        from toolc_runtime.patterns import Pattern

        try:
            Pattern(pattern)
        except SchemaError as error:
            where = next(facet.value.span for facet in node.facets if facet.name.text == "pattern")
            file.reporter.report("TC0308", where, reason=str(error))


def _facet_fix(span: Span, name: str, known: Mapping[str, str]) -> Fix | None:
    """A facet by its name in toolc."""
    folded = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
    meant = next((each for each in (*_FACET_NAMES.get(name, ()), folded) if each in known), None)
    return Fix(f"write `{meant}`", (Edit(span, meant),)) if meant else None


_LEAST = ("minimum", "min_length", "min_items", "min_properties")
_MOST = ("maximum", "max_length", "max_items", "max_properties")
_FACET_NAMES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("min", "ge", "gte", "min_value", "min_len", "minimum"), _LEAST),
    **dict.fromkeys(("max", "le", "lte", "max_value", "max_len", "maximum"), _MOST),
    "gt": ("exclusive_minimum",),
    "lt": ("exclusive_maximum",),
    "regex": ("pattern",),
    "unique": ("unique_items",),
}
_GENERIC_NAMES = {
    **dict.fromkeys(("List", "array", "Array", "Sequence", "Iterable", "Vec"), "list"),
    **dict.fromkeys(("Dict", "map", "Map", "Record", "Mapping", "HashMap"), "dict"),
}
_ALIASES = {
    **dict.fromkeys(("void", "Void", "None", "none", "nil", "unit"), "null"),
    "string": "str",
    "text": "str",
    "String": "str",
    "integer": "int",
    "Int": "int",
    "number": "float",
    "Number": "float",
    "double": "float",
    "boolean": "bool",
    "Bool": "bool",
    "timestamp": "datetime",
    "any": "json",
    "Any": "json",
    "uuid": "str",
    "long": "int",
    "object": "json",
    "Decimal": "decimal",
    "Date": "date",
}
_FACET_VALUES: dict[str, Callable[[Any], bool]] = {
    _BOUND: lambda value: type(value) in (int, float),
    _STEP: lambda value: type(value) in (int, float) and value > 0,
    _COUNT: lambda value: type(value) is int and value >= 0,
    _FLAG: lambda value: isinstance(value, bool),
    _TEXT: lambda value: isinstance(value, str),
}
_TYPES: dict[type, Callable[[Declarations, File, Any], Type]] = {
    tree.NamedType: Declarations._named,
    tree.RefType: Declarations._reference,
    tree.OptionalType: Declarations._optional,
    tree.GenericType: Declarations._generic,
    tree.RecordType: Declarations._inline,
    tree.LiteralType: Declarations._literals,
    tree.RefinedType: Declarations._refined,
}
_ITEMS: dict[type, Callable[[Declarations, File, Any], Type]] = {
    tree.Alias: Declarations._alias,
    tree.Enum: Declarations._enum,
    tree.Record: Declarations._record,
    tree.Union: Declarations._union,
}


def _members(value: Any) -> int:
    """The members of a constant's lists, dicts and records, at any depth, as far as it matters."""
    todo, count = [value], 0
    while todo and count <= MAX_COPIED:
        holder = todo.pop()
        if isinstance(holder, (list, dict)):
            count += len(holder)
            todo.extend(holder.values() if isinstance(holder, dict) else holder)
    return count


def _once(make: Callable[[], T], again: Callable[[], T]) -> Callable[[], T]:
    """`make`, called at the first use only; `again` where that use needs itself."""
    made: list[T] = []
    making: list[bool] = []

    def get() -> T:
        if not made:
            if making:
                return again()
            making.append(True)
            made.append(make())
        return made[0]

    return get
