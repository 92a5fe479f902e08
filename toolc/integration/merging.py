"""The one tool in the place of overlapping ones, and how their calls become calls of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.generate import trees
from toolc.generate.tables.words import a
from toolc.importing.names import NAME, one_of, unique, words
from toolc.importing.spec import described, field, label, scalar, texts
from toolc.integration.overlap import Group, Known
from toolc.integration.signature import Leaf
from toolc.integration.template import Differ, Hole, holes
from toolc.integration.units import UNITS
from toolc.node import NOWHERE, Node
from toolc.rewriting.calls import Arguments, Rewrite, bound, substituted
from toolc.rewriting.spec import Spec, nodes
from toolc.scaling.transformation import members, plain
from toolc.syntax import tree

CHOICES = frozenset(("unit", "constant", "number", "field", "direction"))
"""Relations for which the merged tool has a parameter more."""


UNIT = "unit"


class NoMerge(Exception):
    """A group of which no one tool can be made; the message says why."""


class Merged(NamedTuple):
    """The tool in the place of a group. For each member, `values` are the JSON values of the
    parameters that the tool has beyond the member's, `rewrites` how its calls are rewritten.
    `further` are functions that it rests on, `base` the member whose parameters it has."""

    group: Group
    tool: tree.Tool
    further: tuple[tree.Function, ...]
    base: str
    values: Mapping[str, Mapping[str, Any]]
    rewrites: Mapping[str, Rewrite]


class _Choice(NamedTuple):
    """A parameter that says which member is meant: its field, and each member's value."""

    field: tree.Field
    values: Mapping[str, Any]


def merge(spec: Spec, known: Mapping[str, Known], group: Group, taken: set[str]) -> Merged:
    """The one tool of a group. Raises `NoMerge`."""
    kinds = group.by - {"same", "form"}
    if len(kinds) > 1:
        raise NoMerge(f"they differ in more than one way: {', '.join(sorted(kinds))}")
    base = max(group.members, key=lambda name: _flatness(known[name]))
    if kinds == {"column"}:
        return _columns(spec, known, group, _column_base(known, group), taken)
    results = {repr(plain(spec, known[name].tool.result)) for name in group.members}
    if len(results) > 1:
        raise NoMerge("their results are of different types")
    if not kinds:
        return _merged(group, known, base, known[base].tool, (), None, taken)
    return _chosen(spec, known, group, base, min(kinds), taken)


def _flatness(known: Known) -> tuple[int, int]:
    """Tools that take plain values rather than objects, and those rather than texts."""
    texts_ = sum(leaf.part is not None for leaf in known.leaves)
    return -texts_, -sum(bool(leaf.field) for leaf in known.leaves)


# ---------------------------------------------------------------- names and words


def _name(group: Group, taken: set[str], choice: str, more: Sequence[str]) -> str:
    """A name for the merged tool: the words that its members share, or another that is free."""
    names = group.members
    lists = [words(name) for name in names]
    shared = [word for word in lists[0] if all(word in other for other in lists[1:])]
    said = [word for word in lists[0] if word not in UNITS and not word.isdigit()]
    candidates = [
        *more,
        "_".join(shared) if len(shared) > 1 or lists[0][:1] == tuple(shared) else "",
        "_".join(said) if choice == UNIT or "_".join(said) != names[0] else "",
        f"{'_'.join(shared)}_by_{choice}" if shared and choice else "",
        "_".join(said),
        names[0],
    ]
    others = taken - set(names)
    free = (each for each in candidates if NAME.fullmatch(each) and each not in others)
    return next(free, names[0])


def _told(known: Mapping[str, Known], group: Group, choice: str) -> str:
    """What the merged tool says of itself: what its members said, each once."""
    told = (known[name].tool.description for name in group.members)
    found = dict.fromkeys(text.value.rstrip(". ") for text in told if text is not None)
    first, *others = found or ("",)
    also = "; ".join(text[0].lower() + text[1:] for text in others)
    if not also or not choice:
        return f"{first}."
    return f"{first}. By `{choice}` also: {also}."


# ---------------------------------------------------------------- columns


def _column_base(known: Mapping[str, Known], group: Group) -> str:
    return next(name for name in group.members if known[name].column is not None)


def _columns(
    spec: Spec, known: Mapping[str, Known], group: Group, base: str, taken: set[str]
) -> Merged:
    """One look-up that gives all columns."""
    column_of: dict[str, str] = {}
    for name in group.members:
        column = known[name].column
        if column is not None:
            column_of[name] = column.name
    for name in group.members:  # those that give the same as one that is a look-up
        if name not in column_of:
            same = next(
                (
                    other
                    for other in column_of
                    if list(known[other].outcomes) == list(known[name].outcomes)
                ),
                None,
            )
            if same is None:
                raise NoMerge(f"it is not known which column `{name}` gives")
            column_of[name] = column_of[same]
    tool = known[base].tool
    (table,) = {each.table for name in group.members if (each := known[name].column)}
    fields = {each.name.text: each for each in members(spec, spec.tables[table].row)}
    columns = list(dict.fromkeys(column_of.values()))
    if not all(name in fields and not fields[name].optional for name in columns):
        raise NoMerge("a column may be absent")
    body = tool.body
    assert body is not None
    row = unique("row", _read(known, [base]))
    key = trees.index(trees.ref(table), trees.ref(tool.parameters[0].name.text))
    error = next((node.error for node in nodes(body) if isinstance(node, tree.OrFail)), None)
    made = tool.replace(
        result=tree.RecordType(
            NOWHERE, tuple(field(name, fields[name].type) for name in columns), False
        ),
        description=described(f"Look up {a(one_of(table).replace('_', ' '))}: {_listed(columns)}."),
        body=trees.block(
            trees.let(row, key if error is None else trees.or_fail(key, error)),
            trees.give(
                trees.record((name, trees.attribute(trees.ref(row), name)) for name in columns)
            ),
        ),
    )
    paths = {name: (column_of[name],) for name in group.members}
    noun = one_of(table)
    return _merged(
        group, known, base, made, (), None, taken, paths, (f"get_{noun}", f"look_up_{noun}")
    )


def _listed(columns: Sequence[str]) -> str:
    said = [column.replace("_", " ") for column in columns]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


# ---------------------------------------------------------------- a choice


def _chosen(
    spec: Spec,
    known: Mapping[str, Known],
    group: Group,
    base: str,
    kind: str,
    taken: set[str],
) -> Merged:
    """One tool with a parameter that says which of the members is meant."""
    same = _alike(known, group, base)
    distinct = list(dict.fromkeys(same.values()))
    distinct.sort(key=lambda name: (name != base, group.members.index(name)))
    tools = [known[name].tool for name in distinct]
    try:
        found = holes(tools)
    except Differ:
        found = []
    choice = _choice(spec, known, distinct, kind, found)
    own = choice.field.name.text
    tool = known[base].tool
    further: tuple[tree.Function, ...] = ()
    if found:
        body = _filled(tools, distinct, found, choice, kind)
    else:
        further, body = _variants(known, distinct, base, choice, taken)
    made = tool.replace(
        parameters=_with_choice(tool.parameters, choice.field),
        body=body,
        description=described(_told(known, group, own)),
    )
    values = {name: choice.values[same[name]] for name in group.members}
    whole = choice._replace(values=values)
    return _merged(group, known, base, made, further, whole, taken)


def _alike(known: Mapping[str, Known], group: Group, base: str) -> dict[str, str]:
    """For each member one that gives the same: itself, unless an earlier one (or the base) does."""
    order = (base, *(name for name in group.members if name != base))
    made: dict[str, str] = {}
    for name in order:
        if "form" in group.by or "same" in group.by:
            equal = (
                other
                for other in dict.fromkeys(made.values())
                if list(known[other].outcomes) == list(known[name].outcomes)
                and known[other].unit == known[name].unit
            )
            made[name] = next(equal, name)
        else:
            made[name] = name
    return made


def _with_choice(parameters: tuple[tree.Field, ...], choice: tree.Field) -> tuple[tree.Field, ...]:
    """The parameters with the choice among those that must be given, or after all."""
    if choice.default is not None:
        return (*parameters, choice)
    at = next(
        (
            place
            for place, each in enumerate(parameters)
            if each.optional or each.default is not None
        ),
        len(parameters),
    )
    return (*parameters[:at], choice, *parameters[at:])


def _choice(
    spec: Spec,
    known: Mapping[str, Known],
    distinct: Sequence[str],
    kind: str,
    found: Sequence[Hole],
) -> _Choice:
    """The parameter that tells members apart."""
    read = _read(known, distinct)
    if kind == "unit":
        units = {name: known[name].unit for name in distinct}
        values: dict[str, Any] = {name: unit.name for name, unit in units.items() if unit}
        name = unique(UNIT, read)
        first = trees.value(values[distinct[0]])
        made = field(
            name,
            texts(dict.fromkeys(values.values())),
            default=first,
            description="Unit of the result.",
        )
        return _Choice(made, values)
    hole = found[0]
    if kind == "direction":
        falls = [_falls(expression) for expression in hole.expressions]
        values = {
            name: "descending" if down else "ascending"
            for name, down in zip(distinct, falls, strict=True)
        }
        return _Choice(
            field(
                unique("order", read),
                texts(("ascending", "descending")),
                description="Whether the smallest or the largest comes first.",
            ),
            values,
        )
    values = {
        name: _literal(expression)
        for name, expression in zip(distinct, hole.expressions, strict=True)
    }
    about = {"take": "limit", "drop": "skip"}.get(hole.name, hole.name)
    if kind == "field":
        name = unique("column", read)
        return _Choice(field(name, texts(values.values()), description="Where to look."), values)
    return _Choice(field(unique(about, read), _type_of(spec, hole, list(values.values()))), values)


def _read(known: Mapping[str, Known], names: Sequence[str]) -> set[str]:
    """The names that tools bind and read, calls aside: functions and locals may share a name."""
    found: set[str] = set()
    for name in names:
        tool = known[name].tool
        found |= bound(tool.body) | {each.name.text for each in tool.parameters}
        called = {id(node.base) for node in nodes(tool.body) if isinstance(node, tree.Call)}
        found |= {
            node.name
            for node in nodes(tool.body)
            if isinstance(node, tree.Ref) and id(node) not in called
        }
    return found


def _literal(expression: tree.Expr) -> Any:
    if isinstance(expression, tree.Attribute):
        return expression.name.text
    assert isinstance(expression, (tree.String, tree.Bool, tree.Number))
    return expression.value


def _type_of(spec: Spec, hole: Hole, values: Sequence[Any]) -> tree.TypeExpr:
    """The type of a constant as a parameter: that of the field that it is compared with, where that
    has few values; else the type of the literals."""
    for table in spec.tables.values():
        for each in members(spec, table.row):
            bare = plain(spec, each.type)
            several = (
                {value.value for value in bare.values if value is not None}
                if isinstance(bare, tree.LiteralType)
                else _enumerated(spec, bare)
            )
            if each.name.text == hole.name and set(map(str, values)) <= several:
                return each.type
            number = isinstance(bare, tree.NamedType) and bare.name in ("int", "float")
            if each.name.text == hole.name and number and hole.kind == "number":
                return bare
    if isinstance(values[0], bool):
        return scalar("bool")
    if isinstance(values[0], str):
        return texts(dict.fromkeys(values))
    return scalar("int" if all(isinstance(value, int) for value in values) else "float")


def _enumerated(spec: Spec, kind: tree.TypeExpr) -> set[str]:
    item = spec.types.get(kind.name) if isinstance(kind, tree.NamedType) else None
    return {value.value for value in item.values} if isinstance(item, tree.Enum) else set()


def _falls(expression: tree.Expr) -> bool:
    return any(isinstance(node, tree.SortKey) and node.descending for node in nodes(expression))


# ---------------------------------------------------------------- bodies


def _filled(
    tools: Sequence[tree.Tool],
    names: Sequence[str],
    found: Sequence[Hole],
    choice: _Choice,
    kind: str,
) -> tree.Block:
    """The first tool's body with what the choice gives in its holes."""
    by_place = {id(hole.expressions[0]): hole for hole in found}
    own = trees.ref(choice.field.name.text)
    renamings = [_renaming(tools[0], other) for other in tools]

    def change(node: Node) -> Node | None:
        hole = by_place.get(id(node))
        if hole is None:
            return None
        if kind in ("constant", "number") and _is_choice(hole, names, choice):
            return own
        first, *others = (
            substituted(each, renaming)
            for each, renaming in zip(hole.expressions, renamings, strict=True)
        )
        made = first
        for name, other in reversed(list(zip(names[1:], others, strict=True))):
            if trees_differ(other, first):
                meant = trees.compare(own, "==", trees.value(choice.values[name]))
                made = trees.given(meant, other, made)
        return made

    body = tools[0].body
    assert body is not None
    return trees.rewritten(body, change)


def trees_differ(left: tree.Expr, right: tree.Expr) -> bool:
    return repr(left) != repr(right)


def _is_choice(hole: Hole, names: Sequence[str], choice: _Choice) -> bool:
    """Whether what stands in a hole is the very value of the choice."""
    return all(
        _literal(expression) == choice.values[name]
        for name, expression in zip(names, hole.expressions, strict=True)
    )


def _renaming(first: tree.Tool, other: tree.Tool) -> dict[str, tree.Expr]:
    """The names of a tool's parameters and locals as those of the first, whose body has the same
    shape."""
    mine, theirs = _binding(first), _binding(other)
    return {old: trees.ref(new) for old, new in zip(theirs, mine, strict=True) if old != new}


def _binding(tool: tree.Tool) -> list[str]:
    names = [each.name.text for each in tool.parameters]
    for node in nodes(tool.body):
        if isinstance(node, (tree.Let, tree.For, tree.ForClause)):
            names += [target.text for target in node.targets]
        elif isinstance(node, tree.Walk):
            names.append(node.binder.text)
    return names


def _variants(
    known: Mapping[str, Known],
    names: Sequence[str],
    base: str,
    choice: _Choice,
    taken: set[str],
) -> tuple[tuple[tree.Function, ...], tree.Block]:
    """Bodies that have no template in common: each becomes a function, between which the choice
    decides."""
    functions: list[tree.Function] = []
    made: tree.Expr | None = None
    for name in reversed(names):
        tool = known[name].tool
        assert tool.body is not None
        if not known[name].reads_only:
            raise NoMerge("their bodies differ, and they write")
        function = unique(f"{name}_rule", taken)
        taken.add(function)
        functions.insert(
            0,
            tree.Function(
                NOWHERE,
                label(function),
                tool.description,
                tuple(each.replace(description=None) for each in tool.parameters),
                tool.result,
                tool.body,
                False,
            ),
        )
        values = _argument_values(known[base].leaves, known[name].leaves, {})
        called = trees.named_call(function, values.items())
        if made is None:
            made = called
        else:
            meant = trees.compare(
                trees.ref(choice.field.name.text), "==", trees.value(choice.values[name])
            )
            made = trees.given(meant, called, made)
    assert made is not None
    return tuple(functions), trees.block(trees.give(made))


# ---------------------------------------------------------------- calls


def _merged(
    group: Group,
    known: Mapping[str, Known],
    base: str,
    tool: tree.Tool,
    further: tuple[tree.Function, ...],
    choice: _Choice | None,
    taken: set[str],
    paths: Mapping[str, tuple[str, ...]] | None = None,
    names: Sequence[str] = (),
) -> Merged:
    own = choice.field.name.text if choice is not None else ""
    name = _name(group, taken, own, names)
    values = {
        member: {own: choice.values[member]} if choice is not None else {}
        for member in group.members
    }
    rewrites = {
        member: Rewrite(
            name,
            _arguments(known[member].leaves, known[base].leaves, values[member]),
            (paths or {}).get(member, ()),
            {
                theirs.parameter: mine.parameter
                for theirs, mine in zip(known[member].leaves, known[base].leaves, strict=True)
            },
        )
        for member in group.members
    }
    return Merged(group, tool.replace(name=label(name)), further, base, values, rewrites)


def _arguments(
    theirs: Sequence[Leaf], mine: Sequence[Leaf], values: Mapping[str, Any]
) -> Callable[[Arguments], Arguments]:
    further = {name: trees.value(value) for name, value in values.items()}

    def change(given: Arguments) -> Arguments:
        return {**_argument_values(theirs, mine, given, complete=False), **further}

    return change


def _argument_values(
    theirs: Sequence[Leaf],
    mine: Sequence[Leaf],
    given: Arguments,
    *,
    complete: bool = True,
) -> dict[str, tree.Expr]:
    """Arguments in the form of the leaves `mine` from those in the form of `theirs`; `complete`:
    where none is given, it stands under its own name."""
    made: dict[str, tree.Expr] = {}
    fields: dict[str, list[tuple[str, tree.Expr]]] = {}
    pieces: dict[str, list[tree.Expr]] = {}
    for source, target in zip(theirs, mine, strict=True):
        if source.parameter not in given and not complete:
            continue
        value = _leaf_value(source, given.get(source.parameter, trees.ref(source.parameter)))
        if target.field:
            fields.setdefault(target.parameter, []).append((target.field, value))
            made[target.parameter] = trees.record(fields[target.parameter])
        elif target.part is not None:
            pieces.setdefault(target.parameter, []).append(value)
            made[target.parameter] = _text_of(pieces[target.parameter])
        else:
            made[target.parameter] = value
    return made


def _leaf_value(leaf: Leaf, argument: tree.Expr) -> tree.Expr:
    """The value at a leaf of an argument."""
    if leaf.field:
        if isinstance(argument, tree.Object):
            for entry in argument.entries:
                if isinstance(entry, tree.Entry) and entry.label.text == leaf.field:
                    return entry.value
        return trees.attribute(argument, leaf.field)
    if leaf.part is not None:
        if isinstance(argument, tree.String):
            parts = argument.value.split(",")
            return trees.value(float(parts[leaf.part]))
        split = trees.call("split", argument, trees.value(","))
        return trees.call("float", trees.index(split, trees.value(leaf.part)))
    return argument


def _text_of(parts: Sequence[tree.Expr]) -> tree.Expr:
    made: list[str | tree.Expr] = []
    for part in parts:
        made += [",", part] if made else [part]
    return trees.text(*made)
