"""Transformations of parameters: more of them, and richer types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import NamedTuple

from toolc.generate import trees
from toolc.generate.tables.words import plural
from toolc.importing.names import unique, words
from toolc.importing.spec import (
    described,
    field,
    label,
    list_of,
    optional,
    refined,
    scalar,
    texts,
)
from toolc.node import NOWHERE, Node
from toolc.rewriting.calls import (
    Arguments,
    Rewrite,
    Use,
    bound,
    callee,
    rewritten,
    substituted,
    uses,
    with_returns,
)
from toolc.rewriting.spec import Spec, nodes
from toolc.scaling.transformation import (
    NotHere,
    body_of,
    facets,
    is_list,
    is_named,
    reads_only,
    require,
)
from toolc.syntax import tree


def put(spec: Spec, tool: tree.Tool) -> Spec:
    """The spec with the tool in the place of the one of its name."""
    name = tool.name.text
    return spec.replaced(
        lambda item: tool if isinstance(item, tree.Tool) and item.name.text == name else item
    )


def required(tool: tree.Tool) -> list[tree.Field]:
    """The parameters that must be given."""
    return [each for each in tool.parameters if not each.optional and each.default is None]


def in_order(fields: Iterable[tree.Field]) -> tuple[tree.Field, ...]:
    """Parameters that must be given, then the others."""
    return tuple(sorted(fields, key=lambda each: each.optional or each.default is not None))


def note(tool: tree.Tool, sentence: str) -> tree.Text | None:
    """The tool's description with a further sentence."""
    told = tool.description.value.rstrip() if tool.description else ""
    full = told if not told or told.endswith((".", "!", "?")) else told + "."
    return described(f"{full} {sentence}".strip())


# ---------------------------------------------------------------- more parameters


def lift_constants(spec: Spec, name: str, random: Random) -> Spec:
    """A number that stands in the body becomes a parameter, whose default it is."""
    tool = spec.tools[name]
    body = body_of(tool)
    require(reads_only(spec, name), "it writes")
    sites = [site for node in nodes(body) for site in _sites(node)]
    require(sites, "no number in its body decides anything")
    require(len(sites) == 1, "several numbers in its body decide something")
    site = sites[0]
    parameter = unique(site.name, spec.names)
    made = field(
        parameter,
        refined(scalar(site.type), site.facets),
        default=site.number,
        description=site.description,
    )

    def change(node: Node) -> Node | None:
        return trees.ref(parameter) if node is site.number else None

    changed = tool.replace(parameters=(*tool.parameters, made), body=trees.rewritten(body, change))
    return put(spec, changed)


class _Site(NamedTuple):
    number: tree.Number
    name: str
    type: str
    facets: Mapping[str, int]
    description: str


def _sites(node: Node) -> Iterable[_Site]:
    if callee_is(node, "round"):
        assert isinstance(node, tree.Call)
        digits = [argument.value for argument in node.arguments[1:]]
        if len(digits) == 1 and isinstance(digits[0], tree.Number):
            facets = {"minimum": 0, "maximum": 6}
            yield _Site(digits[0], "decimals", "int", facets, "Decimals of the result.")
    elif isinstance(node, tree.Compare) and len(node.operands) == 2:
        right = node.operands[1]
        words_ = _BOUNDS.get(node.operators[0])
        if isinstance(right, tree.Number) and words_ and right.value not in (0, 1):
            subject = callee(node.operands[0])
            kind = "int" if isinstance(right.value, int) else "float"
            name = f"{words_[0]}_{subject}" if subject else words_[0]
            of = f" of the {subject}" if subject else ""
            yield _Site(right, name, kind, {}, f"{words_[1]}{of} that counts.")


def callee_is(node: Node, name: str) -> bool:
    return isinstance(node, tree.Call) and callee(node) == name


_BOUNDS = {
    ">=": ("least", "Least value"),
    ">": ("above", "Value above"),
    "<=": ("most", "Greatest value"),
    "<": ("below", "Value below"),
}


def page_results(spec: Spec, name: str, random: Random) -> Spec:
    """A tool that lists takes how many to leave out and how many to give at most."""
    tool = spec.tools[name]
    body = body_of(tool)
    require(is_list(spec, tool.result), "its result is no list")
    require(reads_only(spec, name), "it writes")
    taken = {each.name.text for each in tool.parameters}
    require(not taken & {"limit", "skip"}, "it is limited already")
    skip, limit, found = (unique(each, spec.names) for each in ("skip", "at_most", "all_found"))
    whole = trees.ref(found)

    def give(value: tree.Expr) -> tuple[tree.Statement, ...]:
        rest = trees.call("drop", whole, trees.ref(skip))
        return (
            tree.Let(NOWHERE, (label(found),), tool.result, value, False),
            trees.give(trees.call("take", rest, trees.ref(limit))),
        )

    further = (
        field(
            skip,
            refined(scalar("int"), {"minimum": 0}),
            default=trees.value(0),
            description="Leave out this many at the beginning.",
        ),
        field(
            limit,
            refined(scalar("int"), {"minimum": 1}),
            default=trees.value(MOST),
            description="At most this many.",
        ),
    )
    changed = tool.replace(parameters=(*tool.parameters, *further), body=with_returns(body, give))
    return put(spec, changed)


MOST = 1000
"""What a list is limited to where nothing is said."""


def reverse_results(spec: Spec, name: str, random: Random) -> Spec:
    """A tool that lists takes whether to do it the other way round."""
    tool = spec.tools[name]
    body = body_of(tool)
    require(is_list(spec, tool.result), "its result is no list")
    require(reads_only(spec, name), "it writes")
    parameter, found = unique("direction", spec.names), unique("as_found", spec.names)

    def give(value: tree.Expr) -> tuple[tree.Statement, ...]:
        backward = trees.compare(trees.ref(parameter), "==", trees.value("backward"))
        turned = trees.call("reversed", trees.ref(found))
        return (
            tree.Let(NOWHERE, (label(found),), tool.result, value, False),
            trees.give(trees.given(backward, turned, trees.ref(found))),
        )

    made = field(
        parameter,
        texts(("forward", "backward")),
        default=trees.value("forward"),
        description="Backward gives the list the other way round.",
    )
    changed = tool.replace(parameters=(*tool.parameters, made), body=with_returns(body, give))
    return put(spec, changed)


# ---------------------------------------------------------------- richer types


class _Richer(NamedTuple):
    """A parameter that takes the place of another: `inner` is the old value in terms of the new
    name, `outer` the new argument for an old one, `name` what it is called. What the old type
    allowed, the body goes on to demand."""

    name: str
    type: tree.TypeExpr
    description: str
    inner: Callable[[tree.Expr], tree.Expr]
    outer: Callable[[tree.Expr], tree.Expr]
    unit: str = ""


def _enriched(
    spec: Spec, name: str, richer: Callable[[tree.Field], _Richer | None], none: str
) -> Spec:
    """The tool with each parameter that can be enriched enriched."""
    tool = spec.tools[name]
    body = body_of(tool)
    taken = spec.names
    made: dict[str, _Richer] = {}
    for each in tool.parameters:
        better = richer(each) if facets(spec, each.type).keys() <= _BOUNDED.keys() else None
        if better is not None and each.name.text not in bound(body):
            if better.name != each.name.text:
                better = better._replace(name=unique(better.name, taken))
                taken.add(better.name)
            made[each.name.text] = better
    require(made, none)
    inner = {old: better.inner(trees.ref(better.name)) for old, better in made.items()}
    parameters = tuple(
        _richer_field(each, made[each.name.text]) if each.name.text in made else each
        for each in tool.parameters
    )

    def arguments(given: Arguments) -> Arguments:
        return {
            made[old].name if old in made else old: made[old].outer(each) if old in made else each
            for old, each in given.items()
        }

    renamed = {old: better.name for old, better in made.items()}
    spec = rewritten(spec, {name: Rewrite(name, arguments, renamed=renamed)})
    held = {old: trees.ref(old) for old, better in made.items() if better.name != old}
    lets = [trees.let(old, inner[old]) for old in held]
    values = inner | held
    demanded = [
        _demand(made[each.name.text], values[each.name.text], facet, bound)
        for each in tool.parameters
        if each.name.text in made
        for facet, bound in facets(spec, each.type).items()
    ]
    body = trees.block(*lets, *demanded, *substituted(body, values).statements)
    return put(spec, tool.replace(parameters=parameters, body=body))


_BOUNDED = {
    "minimum": (">=", "at least"),
    "maximum": ("<=", "at most"),
    "exclusive_minimum": (">", "more than"),
    "exclusive_maximum": ("<", "less than"),
}
"""Facets that a body can demand as well: how, and how it says so."""


def _demand(better: _Richer, value: tree.Expr, facet: str, bound: tree.Expr) -> tree.Statement:
    operator, told = _BOUNDED[facet]
    size = bound.text if isinstance(bound, tree.Number) else bound
    message = trees.text(f"{better.name} must be {told} ", size, f" {better.unit}".rstrip())
    return trees.require(trees.compare(value, operator, bound), message)


def _richer_field(old: tree.Field, better: _Richer) -> tree.Field:
    told = old.description.value if old.description else ""
    text = f"{told} {better.description}".strip()
    default = None if old.default is None else better.outer(old.default)
    return field(better.name, better.type, default=default, description=text)


def days_as_objects(spec: Spec, name: str, random: Random) -> Spec:
    """Dates become objects of year, month and day."""

    def richer(each: tree.Field) -> _Richer | None:
        if each.optional or not is_named(spec, each.type, "date"):
            return None
        kind = tree.RecordType(
            NOWHERE,
            (
                field("year", scalar("int")),
                field("month", refined(scalar("int"), {"minimum": 1, "maximum": 12})),
                field("day", refined(scalar("int"), {"minimum": 1, "maximum": 31})),
            ),
            False,
        )
        return _Richer(each.name.text, kind, "", _day_of, _parts_of)

    return _enriched(spec, name, richer, "it takes no date that must be given")


def _day_of(parts: tree.Expr) -> tree.Expr:
    holes = (
        tree.Hole(NOWHERE, trees.attribute(parts, part), form) for part, form in _DATE_PARTS.items()
    )
    year, month, day = holes
    return trees.call("date", tree.Interpolation(NOWHERE, (year, "-", month, "-", day)))


_DATE_PARTS = {"year": "04d", "month": "02d", "day": "02d"}


def _parts_of(day: tree.Expr) -> tree.Expr:
    if isinstance(day, tree.String) and len(day.value) == len("2024-01-01"):
        parts = (trees.value(int(part)) for part in day.value.split("-"))
        return trees.record(zip(_DATE_PARTS, parts, strict=True))
    return trees.record((part, trees.call(part, day)) for part in _DATE_PARTS)


def quantities(spec: Spec, name: str, random: Random) -> Spec:
    """Numbers of a unit become objects of a value and a unit, of which several are understood."""

    def richer(each: tree.Field) -> _Richer | None:
        if each.optional or not is_named(spec, each.type, "int", "float"):
            return None
        unit = _unit(each)
        if unit is None:
            return None
        return _quantity(spec, each, unit)

    return _enriched(spec, name, richer, "it takes no number of a unit")


def _quantity(spec: Spec, each: tree.Field, unit: str) -> _Richer:
    whole = is_named(spec, each.type, "int")
    factors = _UNITS[unit]
    # Whole numbers stay whole only where the other units are multiples.
    choices = {other: factor for other, factor in factors.items() if factor >= 1 or not whole}
    number = refined(scalar("int" if whole else "float"), _LEAST)
    kind = tree.RecordType(
        NOWHERE,
        (field("value", number), field("unit", texts(choices), default=trees.value(unit))),
        False,
    )

    def inner(quantity: tree.Expr) -> tree.Expr:
        value, of = trees.attribute(quantity, "value"), trees.attribute(quantity, "unit")
        made = value
        for other, factor in choices.items():
            if other != unit:
                size = trees.value(int(factor) if whole else factor)
                more = trees.binary(value, "*", size)
                made = trees.given(trees.compare(of, "==", trees.value(other)), more, made)
        return made

    def outer(value: tree.Expr) -> tree.Expr:
        return trees.record((("value", value), ("unit", trees.value(unit))))

    stem = [word for word in words(each.name.text) if word != unit]
    name = "_".join(stem) or _MEASURES[unit]
    return _Richer(name, kind, "With its unit.", inner, outer, unit)


_LEAST = {"minimum": 0}


def _times(**sizes: float) -> dict[str, dict[str, float]]:
    return {unit: {other: size / sizes[unit] for other, size in sizes.items()} for unit in sizes}


_UNITS: Mapping[str, Mapping[str, float]] = {
    **_times(minutes=1, hours=60, days=1440, weeks=10080),
    **_times(metres=1, kilometres=1000),
    **_times(grams=1, kilograms=1000),
}
_MEASURES = {
    **dict.fromkeys(("minutes", "hours", "days", "weeks"), "time_span"),
    **dict.fromkeys(("metres", "kilometres"), "length"),
    **dict.fromkeys(("grams", "kilograms"), "weight"),
}


def _unit(each: tree.Field) -> str | None:
    """The unit that the name says, or the beginning of the description."""
    named = [word for word in words(each.name.text) if word in _UNITS]
    if len(named) == 1:
        return named[0]
    told = words(each.description.value) if each.description else ()
    return told[0] if told and told[0] in _UNITS else None


def answers_for_flags(spec: Spec, name: str, random: Random) -> Spec:
    """Truth values become a choice of two words."""

    def richer(each: tree.Field) -> _Richer | None:
        if each.optional or not is_named(spec, each.type, "bool"):
            return None

        def inner(word: tree.Expr) -> tree.Expr:
            return trees.compare(word, "==", trees.value("yes"))

        return _Richer(each.name.text, texts(("yes", "no")), "", inner, _yes_or_no)

    return _enriched(spec, name, richer, "it takes no truth value")


def _yes_or_no(value: tree.Expr) -> tree.Expr:
    if isinstance(value, tree.Bool):
        return trees.value("yes" if value.value else "no")
    return trees.given(value, trees.value("yes"), trees.value("no"))


# ---------------------------------------------------------------- lists and objects


def several_at_once(spec: Spec, name: str, random: Random) -> Spec:
    """A look-up takes a list of keys and gives a list of results."""
    tool = spec.tools[name]
    body = body_of(tool)
    require(reads_only(spec, name), "it writes")
    keys = required(tool)
    require(len(keys) == 1, "it is no look-up by one key")
    key = keys[0]
    require(is_named(spec, key.type, "str", "int"), "its key is no text or number")
    require(not is_list(spec, tool.result), "its result is a list")
    calls = list(uses(spec, name))
    each_once = [use.owner for use in calls if use.kind == "step"]
    require(len(each_once) == len(set(each_once)), "a plan calls it twice")
    require(all(key.name.text in use.arguments for use in calls if use.kind == "called"), _PARTIAL)
    _none_free(calls)
    read = {node.name for node in nodes(body) if isinstance(node, tree.Ref)}
    require(all(each.name.text in read for each in tool.parameters), "it ignores a parameter")
    taken = spec.names
    several = unique("_".join(words(plural(" ".join(words(key.name.text))))), taken)
    single, one = unique(f"{name}_of_one", taken), unique("one", taken)
    function = tree.Function(
        NOWHERE,
        label(single),
        None,
        tuple(map(_for_function, tool.parameters)),
        tool.result,
        body,
        False,
    )
    limited = refined(list_of(key.type), {"min_items": 1, "max_items": 20})
    told = key.description.value if key.description else ""
    first = field(several, limited, description=told or None)
    rest = tuple(each for each in tool.parameters if each is not key)
    passed = [(key.name.text, trees.ref(one))]
    passed += [(each.name.text, trees.ref(each.name.text)) for each in rest]
    gathered = trees.listed(
        trees.comprehension(trees.named_call(single, passed), one, trees.ref(several))
    )
    changed = tool.replace(
        description=note(tool, "Takes several at once; the results are in the same order."),
        parameters=(first, *rest),
        result=list_of(tool.result),
        body=trees.block(trees.give(gathered)),
    )

    def arguments(given: Arguments) -> Arguments:
        return {
            several if old == key.name.text else old: trees.items(each)
            if old == key.name.text
            else each
            for old, each in given.items()
        }

    rewrite = Rewrite(name, arguments, (0,), {key.name.text: several}, lambda e: trees.items(e))
    spec = rewritten(spec, {name: rewrite})
    return put(spec, changed).with_items([function], before=name)


_PARTIAL = "a check names some of its arguments"


def _none_free(calls: Iterable[Use]) -> None:
    for use in calls:
        if use.step is not None and use.step.free:
            raise NotHere("a step leaves an argument free")


def _for_function(each: tree.Field) -> tree.Field:
    """A parameter of a tool as one of a function, to which null is passed where it is left out."""
    if not each.optional:
        made: tree.Field = each.replace(description=None)
        return made
    return field(each.name.text, optional(each.type), default=tree.Null(NOWHERE))


def one_request(spec: Spec, name: str, random: Random) -> Spec:
    """The parameters become the fields of one object, but for those that have a default."""
    tool = spec.tools[name]
    fields = [each for each in tool.parameters if each.default is None]
    require(len(fields) >= 2, "it has fewer than two parameters without a default")
    return _grouped(spec, name, "request", fields, "")


def coordinates(spec: Spec, name: str, random: Random) -> Spec:
    """Latitude and longitude become a position."""
    tool = spec.tools[name]
    pairs = [each for each in tool.parameters if each.name.text in ("latitude", "longitude")]
    require(len(pairs) == 2, "it takes no latitude with a longitude")
    return _grouped(spec, name, "position", pairs, "A point of the map.")


def _grouped(
    spec: Spec, name: str, wanted: str, fields: list[tree.Field], description: str
) -> Spec:
    tool = spec.tools[name]
    body = body_of(tool)
    inside = {each.name.text for each in fields}
    require(not inside & bound(body), "a local of its body is called like a parameter")
    calls = list(uses(spec, name))
    _none_free(calls)
    needed = {each.name.text for each in required(tool)} & inside
    partial = (use for use in calls if use.kind != "step" and use.kind != "test")
    for use in partial:
        require(use.kind == "never" and not use.arguments, _PARTIAL)
    require(needed, "none of its parameters must be given")
    group = unique(wanted, spec.names)
    ordered = in_order(fields)
    kind = tree.RecordType(NOWHERE, ordered, False)
    made = field(group, kind, description=description)
    rest = tuple(each for each in tool.parameters if each.name.text not in inside)
    values = {each: trees.attribute(trees.ref(group), each) for each in inside}

    def arguments(given: Arguments) -> Arguments:
        grouped = [(old, each) for old, each in given.items() if old in inside]
        others = {old: each for old, each in given.items() if old not in inside}
        return {group: trees.record(grouped), **others} if grouped else others

    spec = rewritten(spec, {name: Rewrite(name, arguments)})
    changed = tool.replace(parameters=in_order((made, *rest)), body=substituted(body, values))
    return put(spec, changed)
