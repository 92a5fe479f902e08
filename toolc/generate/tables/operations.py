"""What tools do with tables: a few operations, from which signatures and bodies follow.

A stage may make an operation wider (more columns, optional filters); its tool then asks for more
and tells more, and a draft keeps both in step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.generate import trees
from toolc.generate.tables.schema import Column, Schema, Table
from toolc.generate.tables.words import GENERIC
from toolc.generate.trees import attribute, call, compare, index, let, ref
from toolc.importing import spec
from toolc.importing.names import unique, words
from toolc.node import NOWHERE
from toolc.syntax import tree


class Get(NamedTuple):
    """Columns of the one row that has these values in the columns `by`; a record unless `plain`."""

    table: str
    by: tuple[str, ...]
    columns: tuple[str, ...]
    plain: bool = True


class Count(NamedTuple):
    """How many rows have the values in the filtering columns."""

    table: str
    filters: tuple[str, ...]
    optional: tuple[str, ...] = ()


class Summary(NamedTuple):
    """A statistic of a measure over the rows that have the values in the filtering columns."""

    table: str
    statistics: tuple[str, ...]
    measures: tuple[str, ...]
    filters: tuple[str, ...]
    optional: tuple[str, ...] = ()
    rounds: bool = False


class Rank(NamedTuple):
    """The key of the row that comes first by a measure; with `several`, so many keys and values as
    are asked for."""

    table: str
    measures: tuple[str, ...]
    orders: tuple[str, ...]
    filters: tuple[str, ...]
    optional: tuple[str, ...] = ()
    several: bool = False


class Find(NamedTuple):
    """The keys of the rows that have the values in the filtering columns."""

    table: str
    filters: tuple[str, ...]
    optional: tuple[str, ...] = ()


class Set(NamedTuple):
    """Writes one column of the row with a key; gives what stood there before."""

    table: str
    column: str


Operation = Get | Count | Summary | Rank | Find | Set

KINDS: Mapping[str, Callable[..., Operation]] = {
    "get": Get,
    "count": Count,
    "summary": Summary,
    "rank": Rank,
    "find": Find,
    "set": Set,
}


def to_json(operation: Operation) -> dict[str, Any]:
    kind = next(name for name, made in KINDS.items() if made is type(operation))
    return {"operation": kind, **operation._asdict()}


def from_json(value: Mapping[str, Any]) -> Operation:
    """The operation that was written so. Raises TypeError, KeyError or AttributeError."""
    given = {
        name: tuple(each) if isinstance(each, list) else each
        for name, each in value.items()
        if name != "operation"
    }
    return KINDS[value["operation"]](**given)


# ---------------------------------------------------------------- parameters


def key_parameter(table: Table, column: str) -> str:
    """What a tool calls the value by which it finds a row: a country, an order_id."""
    one = "_".join(table.noun.one.split(" "))
    if words(column) and set(words(column)) <= GENERIC:
        return one if column in ("name", "title") else f"{one}_{column}"
    return column


_OTHERS = {
    "statistic": "kind_of_statistic",
    "measure": "figure",
    "order": "direction",
    "limit": "at_most",
    "decimals": "digits",
    "value": "measured",
}


def own(table: Table, name: str) -> str:
    """A parameter or label of a tool itself, by another name where the table has such a column."""
    return name if name not in table.columns else unique(_OTHERS[name], table.columns)


class Signature(NamedTuple):
    """Parameters in order, as fields without descriptions, and the type of the result."""

    parameters: tuple[tree.Field, ...]
    result: tree.TypeExpr


STATISTICS = ("total", "average", "highest", "lowest")
ORDERS = ("descending", "ascending")


def type_of(column: Column) -> tree.TypeExpr:
    """The type of a column's cells where they are given as arguments or results."""
    return spec.scalar(column.enum if column.enum else column.type)


def _shown(column: Column) -> tree.TypeExpr:
    kind = type_of(column)
    return spec.optional(kind) if column.optional else kind


def _filters(table: Table, names: Iterable[str], optional: Iterable[str]) -> list[tree.Field]:
    columns = table.columns
    return [
        *(spec.field(name, type_of(columns[name])) for name in names),
        *(spec.field(name, type_of(columns[name]), optional=True) for name in optional),
    ]


def _choice(table: Table, name: str, values: Sequence[str]) -> list[tree.Field]:
    return [spec.field(own(table, name), spec.texts(values))] if len(values) > 1 else []


def _number(table: Table, measures: Iterable[str]) -> tree.TypeExpr:
    whole = all(table.columns[each].type == "int" for each in measures)
    return spec.scalar("int" if whole else "float")


def _get_signature(it: Get, table: Table) -> Signature:
    parameters = tuple(
        spec.field(key_parameter(table, name), type_of(table.columns[name])) for name in it.by
    )
    shown = [table.columns[name] for name in it.columns]
    if it.plain:
        return Signature(parameters, type_of(shown[0]))
    members = tuple(spec.field(column.name, _shown(column)) for column in shown)
    return Signature(parameters, tree.RecordType(NOWHERE, members, False))


def _count_signature(it: Count, table: Table) -> Signature:
    return Signature(tuple(_filters(table, it.filters, it.optional)), spec.scalar("int"))


def _summary_signature(it: Summary, table: Table) -> Signature:
    parameters = [
        *_choice(table, "statistic", it.statistics),
        *_choice(table, "measure", it.measures),
        *_filters(table, it.filters, it.optional),
    ]
    if it.rounds:
        facets = {"minimum": 0, "maximum": 6}
        digits = spec.refined(spec.scalar("int"), facets)
        parameters.append(spec.field(own(table, "decimals"), digits, default=trees.value(2)))
    if "average" in it.statistics:
        return Signature(tuple(parameters), spec.scalar("float"))
    return Signature(tuple(parameters), _number(table, it.measures))


def _rank_signature(it: Rank, table: Table) -> Signature:
    parameters = [
        *_choice(table, "measure", it.measures),
        *_choice(table, "order", it.orders),
        *_filters(table, it.filters, it.optional),
    ]
    key = table.columns[table.single]
    if not it.several:
        return Signature(tuple(parameters), type_of(key))
    limit = spec.refined(spec.scalar("int"), {"minimum": 1, "maximum": 50})
    parameters.append(spec.field(own(table, "limit"), limit, default=trees.value(1)))
    members = (
        spec.field(key.name, type_of(key)),
        spec.field(own(table, "value"), _number(table, it.measures)),
    )
    return Signature(tuple(parameters), spec.list_of(tree.RecordType(NOWHERE, members, False)))


def _find_signature(it: Find, table: Table) -> Signature:
    key = type_of(table.columns[table.single])
    return Signature(tuple(_filters(table, it.filters, it.optional)), spec.list_of(key))


def _set_signature(it: Set, table: Table) -> Signature:
    column = table.columns[it.column]
    parameters = (
        spec.field(key_parameter(table, table.single), type_of(table.columns[table.single])),
        spec.field(it.column, type_of(column)),
    )
    members = (spec.field("before", _shown(column)), spec.field("now", type_of(column)))
    return Signature(parameters, tree.RecordType(NOWHERE, members, False))


_SIGNATURES: Mapping[type, Callable[[Any, Table], Signature]] = {
    Get: _get_signature,
    Count: _count_signature,
    Summary: _summary_signature,
    Rank: _rank_signature,
    Find: _find_signature,
    Set: _set_signature,
}


def signature(operation: Operation, schema: Schema) -> Signature:
    """The parameters and the result that an operation's tool has."""
    return _SIGNATURES[type(operation)](operation, schema.tables[operation.table])


# ---------------------------------------------------------------- bodies


def body(operation: Operation, schema: Schema, taken: Iterable[str] = ()) -> tree.Block:
    """The body of an operation's tool; its own names are none of `taken`."""
    table = schema.tables[operation.table]
    names = {field.name.text for field in signature(operation, schema).parameters}
    names |= {*taken, *schema.tables}
    return _BODIES[type(operation)](operation, table, _Names(names))


class _Names(NamedTuple):
    taken: set[str]

    def __call__(self, name: str) -> str:
        return unique(name, self.taken)


def _unknown(table: Table, names: Iterable[str]) -> tree.Expr:
    parts: list[trees.Part] = [f"unknown {table.noun.one}: "]
    for place, name in enumerate(names):
        parts += [", "] if place else []
        parts.append(ref(name))
    return trees.text(*parts)


def _get_body(it: Get, table: Table, fresh: _Names) -> tree.Block:
    row = fresh("row")
    parameters = [key_parameter(table, name) for name in it.by]
    if it.by == table.key:
        found = index(ref(table.name), *map(ref, parameters))
    else:
        each = fresh("each")
        same = [
            compare(attribute(ref(each), name), "==", ref(given))
            for name, given in zip(it.by, parameters, strict=True)
        ]
        found = call("first", trees.comprehension(ref(each), each, ref(table.name), same))
    start = let(row, trees.or_fail(found, _unknown(table, parameters)))
    if it.plain:
        shown = attribute(ref(row), it.columns[0])
        if table.columns[it.columns[0]].optional:
            message = trees.text(f"this {table.noun.one} has no {' '.join(words(it.columns[0]))}")
            shown = trees.or_fail(shown, message)
        return trees.block(start, trees.give(shown))
    entries = [(name, attribute(ref(row), name)) for name in it.columns]
    return trees.block(start, trees.give(trees.record(entries)))


def _conditions(it: Any, each: str) -> list[tree.Expr]:
    """The conditions that filters set to a row."""
    made = [compare(attribute(ref(each), name), "==", ref(name)) for name in it.filters]
    for name in it.optional:
        absent = compare(ref(name), "==", trees.NULL)
        same = compare(attribute(ref(each), name), "==", ref(name))
        made.append(trees.binary(absent, "or", same))
    return made


def _count_body(it: Count, table: Table, fresh: _Names) -> tree.Block:
    each = fresh("each")
    rows = trees.comprehension(ref(each), each, ref(table.name), _conditions(it, each))
    return trees.block(trees.give(call("count", rows)))


def _summary_body(it: Summary, table: Table, fresh: _Names) -> tree.Block:
    each, found, result = fresh("each"), fresh("found"), fresh("result")
    values = _values(it, table, each, fresh)
    start = let(found, values)
    some = trees.require(
        compare(call("len", ref(found)), ">", trees.value(0)), trees.text("there are none")
    )
    chosen: tree.Expr | None = None
    for statistic in reversed(it.statistics):
        made = _STATISTICS[statistic](ref(found))
        if chosen is None:
            chosen = made
        else:
            condition = compare(ref(own(table, "statistic")), "==", trees.value(statistic))
            chosen = trees.given(condition, made, chosen)
    assert chosen is not None
    whole = "average" not in it.statistics and all(
        table.columns[each].type == "int" for each in it.measures
    )
    if whole:
        return trees.block(start, some, trees.give(chosen))
    digits = ref(own(table, "decimals")) if it.rounds else trees.value(2)
    return trees.block(
        start, some, let(result, chosen), trees.give(call("round", ref(result), digits))
    )


_STATISTICS: Mapping[str, Callable[[tree.Expr], tree.Expr]] = {
    "total": lambda found: call("sum", found),
    "average": lambda found: trees.binary(call("sum", found), "/", call("len", found)),
    "highest": lambda found: call("max", found),
    "lowest": lambda found: call("min", found),
}


def _values(it: Summary, table: Table, each: str, fresh: _Names) -> tree.Expr:
    """The measured values of the filtered rows, without those that are missing."""
    whole = "average" not in it.statistics and _is_whole(it, table)
    return _by_measure(it, table, each, whole, lambda shown: shown)


def _is_whole(it: Summary | Rank, table: Table) -> bool:
    return all(table.columns[name].type == "int" for name in it.measures)


def _by_measure(
    it: Summary | Rank,
    table: Table,
    each: str,
    whole: bool,
    element: Callable[[tree.Expr], tree.Expr],
) -> tree.Expr:
    """One list for each measure, of which the one that is asked for is taken; its elements are
    made of the cells that are there, as floats unless they are `whole`."""
    made: tree.Expr | None = None
    for name in reversed(it.measures):
        cell = attribute(ref(each), name)
        column = table.columns[name]
        present = [compare(cell, "!=", trees.NULL)] if column.optional else []
        shown = call("float", cell) if column.type == "int" and not whole else cell
        conditions = [*_conditions(it, each), *present]
        rows = trees.listed(trees.comprehension(element(shown), each, ref(table.name), conditions))
        if made is None:
            made = rows
        else:
            made = trees.given(
                compare(ref(own(table, "measure")), "==", trees.value(name)), rows, made
            )
    assert made is not None
    return made


def _rank_body(it: Rank, table: Table, fresh: _Names) -> tree.Block:
    each, found, pair, best = fresh("each"), fresh("found"), fresh("pair"), fresh("best")
    key = table.single

    def entry(shown: tree.Expr) -> tree.Expr:
        return trees.record([(key, attribute(ref(each), key)), (own(table, "value"), shown)])

    start = let(found, _by_measure(it, table, each, _is_whole(it, table), entry))
    shown = attribute(ref(pair), own(table, "value"))
    if len(it.orders) > 1:
        falling = compare(ref(own(table, "order")), "==", trees.value("descending"))
        shown = trees.given(falling, tree.Unary(NOWHERE, "-", shown), shown)
    order = [(shown, it.orders == ("descending",)), (attribute(ref(pair), key), False)]
    ordered = trees.comprehension(ref(pair), pair, ref(found), order=order)
    if it.several:
        kept = call("take", call("sorted", ordered), ref(own(table, "limit")))
        return trees.block(start, trees.give(kept))
    first = trees.or_fail(call("first", ordered), trees.text("there are none"))
    return trees.block(start, let(best, first), trees.give(attribute(ref(best), key)))


def _find_body(it: Find, table: Table, fresh: _Names) -> tree.Block:
    each = fresh("each")
    key = attribute(ref(each), table.single)
    rows = trees.comprehension(key, each, ref(table.name), _conditions(it, each))
    return trees.block(trees.give(trees.listed(rows)))


def _set_body(it: Set, table: Table, fresh: _Names) -> tree.Block:
    row, key = fresh("row"), key_parameter(table, table.single)
    found = index(ref(table.name), ref(key))
    start = let(row, trees.or_fail(found, _unknown(table, [key])))
    place = attribute(found, it.column)
    result = trees.record([("before", attribute(ref(row), it.column)), ("now", ref(it.column))])
    return trees.block(start, trees.assign(place, ref(it.column)), trees.give(result))


_BODIES: Mapping[type, Callable[[Any, Table, _Names], tree.Block]] = {
    Get: _get_body,
    Count: _count_body,
    Summary: _summary_body,
    Rank: _rank_body,
    Find: _find_body,
    Set: _set_body,
}
