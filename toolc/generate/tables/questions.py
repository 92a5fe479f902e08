"""Questions that tables can answer, as sketches of scenarios: families whose members have one
clear answer each, told by a condition that the spec states too.

A pattern goes over the tables and gives every sketch that it finds; what the members of its
family are is worked out here from the rows, and by the compiler from the condition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from toolc.generate import trees
from toolc.generate.tables.operations import (
    Count,
    Find,
    Get,
    Operation,
    Rank,
    Set,
    Summary,
    key_parameter,
)
from toolc.generate.tables.schema import LOCALS, Column, Row, Schema, Table
from toolc.generate.tables.wording import Parts, say
from toolc.generate.tables.words import phrase, role
from toolc.generate.trees import attribute, binary, call, compare, ref
from toolc.importing.names import unique, words
from toolc.syntax import tree

KINDS = ("single_hop", "parallel_single_hop", "multi_hop", "parallel_multi_hop")


class Ask(NamedTuple):
    """A sub-question: the operation that answers it, its arguments, and the name of its answer."""

    question: Parts
    operation: Operation
    arguments: tuple[tuple[str, tree.Expr], ...]
    binder: str


class Sketch(NamedTuple):
    """A scenario in the making. `about` says what is asked of which tables, so that nothing is
    asked twice; `members` is how many tasks its family gives."""

    kind: str
    pattern: str
    about: tuple[Any, ...]
    binder: str
    source: tree.Expr
    condition: tree.Expr | None
    user: Parts
    steps: tuple[Ask, ...]
    answer: tree.Expr | None
    members: int


class World(NamedTuple):
    """What patterns work on: the tables, a generator, and the deepest and widest plans."""

    schema: Schema
    random: Random
    depth: int
    width: int

    @property
    def tables(self) -> Iterable[Table]:
        return self.schema.tables.values()

    def binder(self, table: Table) -> str:
        return self.member("_".join(table.noun.one.split(" ")))

    def member(self, name: str) -> str:
        """A name for the members of a family, which nothing else has."""
        name = f"{name}_member" if words(name)[:1] and words(name)[0] in LOCALS else name
        return unique(name, self.schema.tables)


# ---------------------------------------------------------------- what is asked for


def spoken_keys(table: Table) -> bool:
    return not table.numbered and all(table.columns[each].spoken for each in table.key)


def asked(table: Table) -> list[Column]:
    """The columns whose cells are answers."""
    return [
        column
        for column in table.columns.values()
        if not (column.key or column.refers)
        and column.type in ("int", "float", "str", "date", "time", "datetime")
        and column.spoken
        and column.name != table.label
        and len({row[column.name] for row in table.rows} - {None}) >= 3
    ]


def measures(table: Table) -> list[Column]:
    return [
        column
        for column in table.columns.values()
        if column.measure and len({row[column.name] for row in table.rows} - {None}) >= 4
    ]


class Subject(NamedTuple):
    """A row that a question is about: the one that the family's binder stands for, or a certain
    one, told by its key or by its label."""

    table: Table
    binder: str
    row: Row | None = None
    called: bool = False

    @property
    def by(self) -> tuple[str, ...]:
        return (self.table.label,) if self.called else self.table.key

    def cell(self, name: str) -> tree.Expr:
        if self.row is None:
            return attribute(ref(self.binder), name)
        return trees.value(self.row[name])

    def said(self, name: str) -> trees.Part:
        """A cell as it stands in a sentence."""
        return self.cell(name) if self.row is None else str(self.row[name])

    @property
    def phrase(self) -> Parts:
        one = self.table.noun.one
        if len(self.by) == 1:
            cell = self.said(self.by[0])
            if self.by[0] == "title":
                return (f"the {one} “", cell, "”")
            return (f"the {one} ", cell)
        parts: list[trees.Part] = [f"the {one} with "]
        for place, name in enumerate(self.by):
            parts += [" and " if place else "", f"{phrase(name)} ", self.said(name)]
        return tuple(parts)

    @property
    def arguments(self) -> tuple[tuple[str, tree.Expr], ...]:
        return tuple((key_parameter(self.table, name), self.cell(name)) for name in self.by)

    def get(self, column: Column, binder: str) -> Ask:
        """The sub-question for a column of the row."""
        question: Parts = (f"What is the {shown(column)} of ", *self.phrase, "?")
        return Ask(question, Get(self.table.name, self.by, (column.name,)), self.arguments, binder)


def shown(column: Column) -> str:
    return phrase(column.name, column.type)


def follow(table: Table, column: Column, key: tree.Expr, binder: str) -> Ask:
    """The sub-question for a column of the row that an earlier answer names."""
    question: Parts = (f"What is the {shown(column)} of the {table.noun.one} ", key, "?")
    operation = Get(table.name, table.key, (column.name,))
    return Ask(question, operation, ((key_parameter(table, table.single), key),), binder)


def present(binder: str, columns: Iterable[Column]) -> list[tree.Expr]:
    return [
        compare(attribute(ref(binder), column.name), "!=", trees.NULL)
        for column in columns
        if column.optional
    ]


def having(rows: Iterable[Row], *columns: Column) -> list[Row]:
    return [row for row in rows if all(row[column.name] is not None for column in columns)]


class Group(NamedTuple):
    """The rows of a table that have one value in a column: any of them, which the binder stands
    for, or a certain one."""

    table: Table
    column: Column
    target: Table | None
    binder: str
    certain: Any = None

    @property
    def value(self) -> tree.Expr:
        if self.certain is not None:
            return trees.value(self.certain)
        if self.target is not None:
            return attribute(ref(self.binder), self.target.single)
        return ref(self.binder)

    @property
    def source(self) -> tree.Expr:
        if self.target is not None:
            return ref(self.target.name)
        return call("values", ref(self.column.enum))

    @property
    def phrase(self) -> Parts:
        many = self.table.noun.many
        value = self.value if self.certain is None else str(self.certain)
        if self.target is None:
            return (f"{many} whose {shown(self.column)} is “", value, "”")
        part = role(self.column.name, self.target.noun)
        if part == self.target.noun.one:
            return (f"{many} of the {part} ", value)
        return (f"{many} whose {part} is ", value)

    @property
    def arguments(self) -> tuple[tuple[str, tree.Expr], ...]:
        return ((self.column.name, self.value),)

    def belongs(self, each: str) -> tree.Expr:
        return compare(attribute(ref(each), self.column.name), "==", self.value)

    def counted(self, *further: tree.Expr) -> tree.Expr:
        """How many rows it has, further conditions on `each` met."""
        conditions = [self.belongs("each"), *further]
        rows = trees.comprehension(ref("each"), "each", ref(self.table.name), conditions)
        return call("count", rows)

    def values(self) -> list[Any]:
        """The values that the binder stands for."""
        if self.target is not None:
            return [row[self.target.single] for row in self.target.rows]
        return list(self.column.values)

    def rows(self, value: Any) -> list[Row]:
        return [row for row in self.table.rows if row[self.column.name] == value]


def groups(world: World, table: Table) -> Iterator[Group]:
    """The ways in which a table's rows fall into groups."""
    for column in table.columns.values():
        sizes = Counter(row[column.name] for row in table.rows if row[column.name] is not None)
        if max(sizes.values(), default=0) < 2:
            continue
        if column.values and column.enum:
            yield Group(table, column, None, world.member(column.name))
        elif column.refers:
            target = world.schema.target(column)
            if spoken_keys(target):
                yield Group(table, column, target, world.binder(target))


def certain(world: World, group: Group, least: int) -> Group | None:
    """One certain group with at least so many rows."""
    values = [value for value in group.values() if len(group.rows(value)) >= least]
    return group._replace(certain=world.random.choice(values)) if values else None


def other_than(group: Group, certain: Group) -> tree.Expr:
    return compare(group.value, "!=", certain.value)


# ---------------------------------------------------------------- single_hop


def lookups(world: World) -> Iterator[Sketch]:
    for table in filter(spoken_keys, world.tables):
        for column in asked(table):
            for called in (False, True) if table.label else (False,):
                subject = Subject(table, world.binder(table), called=called)
                yield Sketch(
                    "single_hop",
                    "lookup",
                    (table.name, column.name, called),
                    subject.binder,
                    ref(table.name),
                    trees.both(present(subject.binder, [column])),
                    say(world.random, "lookup", what=shown(column), row=subject.phrase),
                    (subject.get(column, "found"),),
                    ref("found"),
                    len(having(table.rows, column)),
                )


def counts(world: World) -> Iterator[Sketch]:
    for table in world.tables:
        for group in groups(world, table):
            members = [value for value in group.values() if len(group.rows(value)) >= 2]
            yield Sketch(
                "single_hop",
                "count",
                (table.name, group.column.name),
                group.binder,
                group.source,
                compare(group.counted(), ">=", trees.value(2)),
                say(world.random, "count", group=group.phrase),
                (counted(group, "number"),),
                ref("number"),
                len(members),
            )


def counted(group: Group, binder: str) -> Ask:
    question: Parts = ("How many ", *group.phrase, " are there?")
    return Ask(question, Count(group.table.name, (group.column.name,)), group.arguments, binder)


def statistics_of(column: Column) -> list[str]:
    return [
        *(["total"] if column.summable else []),
        *(["average"] if column.averaged else []),
    ]


def summarized(group: Group, statistic: str, column: Column, binder: str) -> Ask:
    question: Parts = (f"What is the {statistic} {shown(column)} of the ", *group.phrase, "?")
    operation = Summary(group.table.name, (statistic,), (column.name,), (group.column.name,))
    return Ask(question, operation, group.arguments, binder)


def several(group: Group, column: Column, least: int = 2) -> tree.Expr:
    return compare(group.counted(*present("each", [column])), ">=", trees.value(least))


def summaries(world: World) -> Iterator[Sketch]:
    for table in world.tables:
        for group in groups(world, table):
            for column in measures(table):
                members = [
                    value for value in group.values() if len(having(group.rows(value), column)) >= 2
                ]
                for statistic in statistics_of(column):
                    yield Sketch(
                        "single_hop",
                        "summary",
                        (table.name, group.column.name, column.name, statistic),
                        group.binder,
                        group.source,
                        several(group, column),
                        say(
                            world.random,
                            "summary",
                            statistic=statistic,
                            what=shown(column),
                            group=group.phrase,
                        ),
                        (summarized(group, statistic, column, "figure"),),
                        ref("figure"),
                        len(members),
                    )


EXTREMES = {"descending": "highest", "ascending": "lowest"}


def ranked(group: Group, column: Column, order: str, binder: str) -> Ask:
    question: Parts = (
        "Which of the ",
        *group.phrase,
        f" has the {EXTREMES[order]} {shown(column)}?",
    )
    operation = Rank(group.table.name, (column.name,), (order,), (group.column.name,))
    return Ask(question, operation, group.arguments, binder)


def one_extreme(group: Group, column: Column, order: str) -> list[tree.Expr]:
    """That a group has two rows or more, and no tie for the first."""
    cell = attribute(ref("other"), column.name)
    conditions = [
        compare(attribute(ref("other"), group.column.name), "==", group.value),
        *present("other", [column]),
    ]
    best = call(
        "max" if order == "descending" else "min",
        trees.comprehension(cell, "other", ref(group.table.name), conditions),
    )
    first = compare(attribute(ref("each"), column.name), "==", best)
    return [several(group, column), compare(group.counted(first), "==", trees.value(1))]


def extremes(group: Group, column: Column, order: str) -> dict[Any, Row]:
    """The first row of each group that has two or more, without a tie, by the group's value."""
    choose = max if order == "descending" else min
    found = {}
    for value in group.values():
        rows = having(group.rows(value), column)
        if len(rows) >= 2:
            best = choose(row[column.name] for row in rows)
            first = [row for row in rows if row[column.name] == best]
            if len(first) == 1:
                found[value] = first[0]
    return found


def ranking(world: World) -> Iterator[tuple[Group, Column, str]]:
    for table in filter(spoken_keys, world.tables):
        if table.single:
            for group in groups(world, table):
                for column in measures(table):
                    yield group, column, world.random.choice(("descending", "ascending"))


def tops(world: World) -> Iterator[Sketch]:
    for group, column, order in ranking(world):
        yield Sketch(
            "single_hop",
            "top",
            (group.table.name, group.column.name, column.name, order),
            group.binder,
            group.source,
            trees.both(one_extreme(group, column, order)),
            say(
                world.random,
                "top",
                group=group.phrase,
                extreme=EXTREMES[order],
                what=shown(column),
                key=phrase(group.table.single),
            ),
            (ranked(group, column, order, "best"),),
            ref("best"),
            len(extremes(group, column, order)),
        )


# ---------------------------------------------------------------- parallel_single_hop


def pick(world: World, rows: Sequence[Row]) -> Row:
    return world.random.choice(rows)


def difference(left: tree.Expr, right: tree.Expr, whole: bool) -> tree.Expr:
    apart = call("abs", binary(left, "-", right))
    return apart if whole else call("round", apart, trees.value(2))


def same_key(subject: Subject, other: Subject) -> tree.Expr:
    """That two rows differ in their keys."""
    made: tree.Expr | None = None
    for name in subject.table.key:
        differs = compare(subject.cell(name), "!=", other.cell(name))
        made = differs if made is None else binary(made, "or", differs)
    assert made is not None
    return made


def pairs(world: World) -> Iterator[Sketch]:
    for table in filter(spoken_keys, world.tables):
        for column in asked(table):
            rows = having(table.rows, column)
            if len(rows) < 4:
                continue
            subject = Subject(table, world.binder(table))
            other = subject._replace(row=pick(world, rows))
            assert other.row is not None
            yield from _pairs(world, subject, other, column, rows)


def _pairs(
    world: World, subject: Subject, other: Subject, column: Column, rows: Sequence[Row]
) -> Iterator[Sketch]:
    assert other.row is not None
    table, random = subject.table, world.random
    amount = column in measures(table)
    cells = (subject.cell(column.name), other.cell(column.name))
    differs = compare(*_between(cells, "!="))
    members = len([row for row in rows if row[column.name] != other.row[column.name]])
    steps = (subject.get(column, "one"), other.get(column, "two"))
    base = Sketch(
        "parallel_single_hop",
        "both",
        (table.name, column.name),
        subject.binder,
        ref(table.name),
        trees.both([*present(subject.binder, [column]), differs]),
        say(
            random,
            "both",
            what=shown(column),
            row=subject.phrase,
            other=other.phrase,
            many=table.noun.many,
        ),
        steps,
        trees.items(ref("one"), ref("two")),
        members,
    )
    if not amount:
        yield base
        return
    slots: dict[str, Any] = {"what": shown(column), "row": subject.phrase, "other": other.phrase}
    apart = difference(ref("one"), ref("two"), column.type == "int")
    yield base._replace(pattern="difference", user=say(random, "difference", **slots), answer=apart)
    if table.single:
        order = random.choice(("descending", "ascending"))
        operator = ">" if order == "descending" else "<"
        chosen = trees.given(
            compare(ref("one"), operator, ref("two")),
            subject.cell(table.single),
            other.cell(table.single),
        )
        extreme = "higher" if order == "descending" else "lower"
        slots |= {"extreme": extreme, "key": phrase(table.single)}
        yield base._replace(pattern="which", user=say(random, "which", **slots), answer=chosen)
    if column.summable and len(rows) >= world.width + 2 and world.width > 2:
        yield _sum(world, subject, column, rows)


def _between(cells: tuple[tree.Expr, tree.Expr], operator: str) -> tuple[tree.Expr, str, tree.Expr]:
    return cells[0], operator, cells[1]


def _sum(world: World, subject: Subject, column: Column, rows: Sequence[Row]) -> Sketch:
    """The sum over as many rows as plans may be wide."""
    chosen = world.random.sample(list(rows), world.width - 1)
    others = [subject._replace(row=row) for row in chosen]
    names = ["one", *(f"further{number}" for number in range(1, world.width))]
    subjects = [subject, *others]
    steps = tuple(each.get(column, name) for each, name in zip(subjects, names, strict=True))
    total: tree.Expr = ref("one")
    for name in names[1:]:
        total = binary(total, "+", ref(name))
    listed: list[trees.Part] = []
    for place, each in enumerate(subjects):
        listed += [" and " if place == len(subjects) - 1 else ", "] if place else []
        listed += each.phrase
    conditions = [same_key(subject, other) for other in others]
    return Sketch(
        "parallel_single_hop",
        "sum",
        (subject.table.name, column.name),
        subject.binder,
        ref(subject.table.name),
        trees.both([*present(subject.binder, [column]), *conditions]),
        say(world.random, "sum", what=shown(column), rows=tuple(listed)),
        steps,
        total if column.type == "int" else call("round", total, trees.value(2)),
        len(rows) - len(others),
    )


def group_pairs(world: World) -> Iterator[Sketch]:
    for table in world.tables:
        for group in groups(world, table):
            other = certain(world, group, 2)
            if other is None:
                continue
            sizes = {value: len(group.rows(value)) for value in group.values()}
            wanted = sizes[other.certain]
            differs = compare(group.counted(), "!=", other.counted())
            enough = compare(group.counted(), ">=", trees.value(2))
            yield Sketch(
                "parallel_single_hop",
                "group difference",
                (table.name, group.column.name),
                group.binder,
                group.source,
                trees.both([enough, differs]),
                say(world.random, "group difference", group=group.phrase, others=other.phrase),
                (counted(group, "one"), counted(other, "two")),
                difference(ref("one"), ref("two"), True),
                sum(1 for size in sizes.values() if size >= 2 and size != wanted),
            )
            for column in measures(table):
                if column.averaged:
                    yield from _average_pairs(world, group, column)


def _average_pairs(world: World, group: Group, column: Column) -> Iterator[Sketch]:
    sizes = {value: len(having(group.rows(value), column)) for value in group.values()}
    enough = [value for value, size in sizes.items() if size >= 2]
    if len(enough) < 3:
        return
    other = group._replace(certain=world.random.choice(enough))
    yield Sketch(
        "parallel_single_hop",
        "summary difference",
        (group.table.name, group.column.name, column.name),
        group.binder,
        group.source,
        trees.both([other_than(group, other), several(group, column)]),
        say(
            world.random,
            "summary difference",
            statistic="average",
            what=shown(column),
            group=group.phrase,
            others=other.phrase,
        ),
        (summarized(group, "average", column, "one"), summarized(other, "average", column, "two")),
        difference(ref("one"), ref("two"), False),
        len(enough) - 1,
    )


# ---------------------------------------------------------------- multi_hop


class Path(NamedTuple):
    """References that lead from one table to another, and the rows that they lead to."""

    start: Table
    links: tuple[Column, ...]
    end: Table

    def reached(self, schema: Schema, row: Row) -> Row | None:
        """The row at the end, where the references are all there."""
        found: Row | None = row
        for link in self.links:
            target = schema.target(link)
            key = None if found is None else found[link.name]
            rows = (each for each in target.rows if each[target.single] == key)
            found = None if key is None else next(rows, None)
        return found

    def place(self, schema: Schema, binder: str) -> tree.Expr:
        """The row at the end, as an expression."""
        made = ref(binder)
        for link in self.links:
            made = trees.index(ref(link.refers), attribute(made, link.name))
        return made


def paths(world: World) -> Iterator[Path]:
    """The ways along references, as far as plans may be deep."""
    found: list[Path] = []
    for table in filter(spoken_keys, world.tables):
        found += [
            Path(table, (link,), world.schema.target(link))
            for link in table.references()
            if not link.key
        ]
    for path in found:
        yield path
        if len(path.links) + 1 < world.depth:
            for link in path.end.references():
                if link.refers != path.start.name and not link.key and link not in path.links:
                    found.append(Path(path.start, (*path.links, link), world.schema.target(link)))


def along(path: Path, subject: Subject, schema: Schema) -> Parts:
    """`the city of the customer of the order SO-1`, without the first part."""
    roles = [role(link.name, schema.target(link).noun) for link in path.links]
    return ("the " + " of the ".join(reversed(roles)) + " of ", *subject.phrase)


def walked(
    path: Path, subject: Subject, column: Column, schema: Schema, mark: str
) -> tuple[Ask, ...]:
    """The sub-questions along a path and for the column at its end."""
    asks: list[Ask] = []
    for place, link in enumerate(path.links):
        binder = f"{mark}{place + 1}"
        if place == 0:
            asks.append(subject.get(link, binder))
        else:
            table = schema.target(path.links[place - 1])
            asks.append(follow(table, link, ref(asks[-1].binder), binder))
    asks.append(follow(path.end, column, ref(asks[-1].binder), f"{mark}found"))
    return tuple(asks)


def there(path: Path, schema: Schema, binder: str, column: Column) -> list[tree.Expr]:
    """That the references of a path and the cell at its end are there."""
    made: list[tree.Expr] = []
    place = ref(binder)
    for link in path.links:
        cell = attribute(place, link.name)
        if link.optional:
            made.append(compare(cell, "!=", trees.NULL))
        place = trees.index(ref(link.refers), cell)
    if column.optional:
        made.append(compare(attribute(place, column.name), "!=", trees.NULL))
    return made


def ends(path: Path, schema: Schema, column: Column) -> dict[int, Any]:
    """The cells at the path's end, by the place of the row that it starts from."""
    found = {}
    for place, row in enumerate(path.start.rows):
        end = path.reached(schema, row)
        if end is not None and end[column.name] is not None:
            found[place] = end[column.name]
    return found


def chains(world: World) -> Iterator[Sketch]:
    for path in paths(world):
        for column in asked(path.end):
            called = bool(path.start.label) and world.random.random() < 0.5
            subject = Subject(path.start, world.binder(path.start), called=called)
            yield Sketch(
                "multi_hop",
                "chain",
                (path.start.name, *(link.name for link in path.links), column.name),
                subject.binder,
                ref(path.start.name),
                trees.both(there(path, world.schema, subject.binder, column)),
                say(
                    world.random,
                    "chain",
                    what=shown(column),
                    path=along(path, subject, world.schema),
                ),
                walked(path, subject, column, world.schema, "step"),
                ref("stepfound"),
                len(ends(path, world.schema, column)),
            )


def tops_then(world: World) -> Iterator[Sketch]:
    for group, measure, order in ranking(world):
        firsts = extremes(group, measure, order)
        for column in asked(group.table):
            if column.name in (measure.name, group.column.name):
                continue
            members = having(firsts.values(), column)
            whole = len(having(group.table.rows, column)) == len(group.table.rows)
            if not whole:
                continue
            yield Sketch(
                "multi_hop",
                "top then",
                (group.table.name, group.column.name, measure.name, order, column.name),
                group.binder,
                group.source,
                trees.both(one_extreme(group, measure, order)),
                say(
                    world.random,
                    "top then",
                    group=group.phrase,
                    extreme=EXTREMES[order],
                    measure=shown(measure),
                    what=shown(column),
                ),
                (
                    ranked(group, measure, order, "best"),
                    follow(group.table, column, ref("best"), "found"),
                ),
                ref("found"),
                len(members),
            )


def identified(subject: Subject, binder: str) -> Ask:
    """The sub-question for the key of a row that is known by its label."""
    key = subject.table.columns[subject.table.single]
    return subject._replace(called=True).get(key, binder)


def called_counts(world: World) -> Iterator[Sketch]:
    for table in world.tables:
        for group in groups(world, table):
            target = group.target
            if (
                target is None
                or not target.label
                or role(group.column.name, target.noun) != target.noun.one
            ):
                continue
            subject = Subject(target, group.binder, called=True)
            found = group._replace(target=None, binder="key")
            number = Ask(
                ("How many ", *found.phrase, " are there?"),
                Count(table.name, (group.column.name,)),
                ((group.column.name, ref("key")),),
                "number",
            )
            members = [value for value in group.values() if len(group.rows(value)) >= 2]
            yield Sketch(
                "multi_hop",
                "called count",
                (table.name, group.column.name),
                group.binder,
                group.source,
                compare(group.counted(), ">=", trees.value(2)),
                say(world.random, "called count", many=table.noun.many, row=subject.phrase),
                (identified(subject, "key"), number),
                ref("number"),
                len(members),
            )


def siblings(world: World) -> Iterator[Sketch]:
    for table in filter(spoken_keys, world.tables):
        for group in groups(world, table):
            if group.target is None or group.column.key:
                continue
            subject = Subject(table, world.binder(table))
            column = group.column
            cell = subject.cell(column.name)
            same = compare(attribute(ref("each"), column.name), "==", cell)
            rows = trees.comprehension(ref("each"), "each", ref(table.name), [same])
            number = Ask(
                (
                    f"How many {table.noun.many} have the {role(column.name, group.target.noun)} ",
                    ref("shared"),
                    "?",
                ),
                Count(table.name, (column.name,)),
                ((column.name, ref("shared")),),
                "number",
            )
            sizes = Counter(row[column.name] for row in table.rows)
            yield Sketch(
                "multi_hop",
                "siblings",
                (table.name, column.name),
                subject.binder,
                ref(table.name),
                trees.both(
                    [
                        *present(subject.binder, [column]),
                        compare(call("count", rows), ">=", trees.value(2)),
                    ]
                ),
                say(
                    world.random,
                    "siblings",
                    many=table.noun.many,
                    role=role(column.name, group.target.noun),
                    row=subject.phrase,
                ),
                (subject.get(column, "shared"), number),
                ref("number"),
                sum(
                    1
                    for row in table.rows
                    if row[column.name] is not None and sizes[row[column.name]] >= 2
                ),
            )


def listed(group: Group, binder: str) -> Ask:
    question: Parts = ("Which ", *group.phrase, " are there?")
    return Ask(question, Find(group.table.name, (group.column.name,)), group.arguments, binder)


def only_members(world: World) -> Iterator[Sketch]:
    for table in filter(spoken_keys, world.tables):
        for group in groups(world, table) if table.single else ():
            alone = [value for value in group.values() if len(group.rows(value)) == 1]
            for column in asked(table):
                if column.optional or column.name == group.column.name:
                    continue
                first = trees.index(ref("found"), trees.value(0))
                yield Sketch(
                    "multi_hop",
                    "only",
                    (table.name, group.column.name, column.name),
                    group.binder,
                    group.source,
                    compare(group.counted(), "==", trees.value(1)),
                    say(
                        world.random,
                        "only",
                        one=table.noun.one,
                        group=group.phrase,
                        what=shown(column),
                    ),
                    (listed(group, "found"), follow(table, column, first, "cell")),
                    ref("cell"),
                    len(alone),
                )


# ---------------------------------------------------------------- parallel_multi_hop


def chain_pairs(world: World) -> Iterator[Sketch]:
    schema = world.schema
    for path in paths(world):
        for column in asked(path.end):
            cells = ends(path, schema, column)
            if len(set(cells.values())) < 3:
                continue
            place = world.random.choice(list(cells))
            subject = Subject(path.start, world.binder(path.start))
            other = subject._replace(row=path.start.rows[place])
            apart, members = _apart(path, schema, subject, other, column, cells)
            amount = column in measures(path.end)
            steps = (
                *walked(path, subject, column, schema, "left"),
                *walked(path, other, column, schema, "right"),
            )
            left, right = ref("leftfound"), ref("rightfound")
            yield Sketch(
                "parallel_multi_hop",
                "chain difference" if amount else "chain both",
                (path.start.name, *(link.name for link in path.links), column.name),
                subject.binder,
                ref(path.start.name),
                trees.both([*there(path, schema, subject.binder, column), *apart]),
                say(
                    world.random,
                    "chain difference" if amount else "chain both",
                    what=shown(column),
                    path=along(path, subject, schema),
                    other=along(path, other, schema),
                ),
                steps,
                difference(left, right, column.type == "int")
                if amount
                else trees.items(left, right),
                members,
            )


def _apart(
    path: Path,
    schema: Schema,
    subject: Subject,
    other: Subject,
    column: Column,
    cells: Mapping[int, Any],
) -> tuple[list[tree.Expr], int]:
    """That two chains have nothing in common but their ends' tables, and how many rows so
    differ from the certain one."""
    conditions: list[tree.Expr] = []
    certain: Row | None = other.row
    kept = {place: path.start.rows[place] for place in cells}
    place: tree.Expr = ref(subject.binder)
    reached: dict[int, Row | None] = dict(kept)
    for link in path.links:
        assert certain is not None
        cell = attribute(place, link.name)
        conditions.append(compare(cell, "!=", trees.value(certain[link.name])))
        key = certain[link.name]
        reached = {
            at: row for at, row in reached.items() if row is not None and row[link.name] != key
        }
        one = Path(path.start, (link,), schema.target(link))
        certain = one.reached(schema, certain)
        reached = {at: one.reached(schema, row) for at, row in reached.items() if row is not None}
        place = trees.index(ref(link.refers), cell)
    assert certain is not None
    conditions.append(
        compare(attribute(place, column.name), "!=", trees.value(certain[column.name]))
    )
    members = [
        row
        for row in reached.values()
        if row and row[column.name] not in (None, certain[column.name])
    ]
    return conditions, len(members)


def top_pairs(world: World) -> Iterator[Sketch]:
    for group, measure, order in ranking(world):
        firsts = extremes(group, measure, order)
        if len(firsts) < 3:
            continue
        value = world.random.choice(list(firsts))
        other = group._replace(certain=value)
        for column in asked(group.table):
            fixed = (measure.name, group.column.name)
            if column.name in fixed or column.optional or column.values:
                continue
            steps = (
                ranked(group, measure, order, "first"),
                ranked(other, measure, order, "second"),
                follow(group.table, column, ref("first"), "one"),
                follow(group.table, column, ref("second"), "two"),
            )
            yield Sketch(
                "parallel_multi_hop",
                "top both",
                (group.table.name, group.column.name, measure.name, order, column.name),
                group.binder,
                group.source,
                trees.both([other_than(group, other), *one_extreme(group, measure, order)]),
                say(
                    world.random,
                    "top both",
                    one=group.table.noun.one,
                    group=group.phrase,
                    others=other.phrase,
                    extreme=EXTREMES[order],
                    measure=shown(measure),
                    what=shown(column),
                ),
                steps,
                trees.items(ref("one"), ref("two")),
                len(firsts) - 1,
            )


def member_pairs(world: World) -> Iterator[Sketch]:
    for table in filter(spoken_keys, world.tables):
        for group in groups(world, table) if table.single else ():
            for column in measures(table):
                if column.optional:
                    continue
                two = [group.rows(value) for value in group.values()]
                members = [
                    rows
                    for rows in two
                    if len({row[column.name] for row in rows}) == len(rows) == 2
                ]
                cells = trees.comprehension(
                    attribute(ref("each"), column.name),
                    "each",
                    ref(table.name),
                    [group.belongs("each")],
                )
                apart = compare(
                    call("len", call("unique", trees.listed(cells))), "==", trees.value(2)
                )
                first, second = (trees.index(ref("found"), trees.value(n)) for n in (0, 1))
                yield Sketch(
                    "parallel_multi_hop",
                    "members difference",
                    (table.name, group.column.name, column.name),
                    group.binder,
                    group.source,
                    trees.both([compare(group.counted(), "==", trees.value(2)), apart]),
                    say(world.random, "members difference", group=group.phrase, what=shown(column)),
                    (
                        listed(group, "found"),
                        follow(table, column, first, "one"),
                        follow(table, column, second, "two"),
                    ),
                    difference(ref("one"), ref("two"), column.type == "int"),
                    len(members),
                )


# ---------------------------------------------------------------- writes


def settable(table: Table) -> list[Column]:
    return [column for column in table.columns.values() if column.enum and not column.optional]


def set_(table: Table, column: Column, key: tree.Expr, to: str, question: Parts) -> Ask:
    arguments = ((key_parameter(table, table.single), key), (column.name, trees.value(to)))
    return Ask(question, Set(table.name, column.name), arguments, "")


def setting(world: World) -> Iterator[tuple[Table, Column, str]]:
    for table in filter(spoken_keys, world.tables):
        for column in settable(table) if table.single else ():
            yield table, column, world.random.choice(column.values)


def sets(world: World) -> Iterator[Sketch]:
    for table, column, to in setting(world):
        subject = Subject(table, world.binder(table))
        open_ = compare(subject.cell(column.name), "!=", trees.value(to))
        rows = [row for row in table.rows if row[column.name] != to]
        key = subject.cell(table.single)
        question: Parts = (f"Set the {shown(column)} of ", *subject.phrase, ".")
        base = Sketch(
            "single_hop",
            "set",
            (table.name, column.name),
            subject.binder,
            ref(table.name),
            open_,
            say(world.random, "set", what=shown(column), row=subject.phrase, value=to),
            (set_(table, column, key, to, question),),
            None,
            len(rows),
        )
        yield base
        if len(rows) > 3:
            other = subject._replace(row=pick(world, rows))
            yield base._replace(
                kind="parallel_single_hop",
                pattern="set both",
                condition=trees.both([open_, same_key(subject, other)]),
                user=say(
                    world.random,
                    "set both",
                    what=shown(column),
                    row=subject.phrase,
                    other=other.phrase,
                    value=to,
                ),
                steps=(
                    base.steps[0],
                    set_(
                        table,
                        column,
                        other.cell(table.single),
                        to,
                        (f"Set the {shown(column)} of ", *other.phrase, "."),
                    ),
                ),
                members=len(rows) - 1,
            )
        if table.label:
            called = subject._replace(called=True)
            yield base._replace(
                kind="multi_hop",
                pattern="called set",
                user=say(
                    world.random, "called set", what=shown(column), row=called.phrase, value=to
                ),
                steps=(
                    identified(called, "key"),
                    set_(table, column, ref("key"), to, (f"Set its {shown(column)}.",)),
                ),
            )


def member_sets(world: World) -> Iterator[Sketch]:
    for table, column, to in setting(world):
        for group in groups(world, table):
            if group.column == column:
                continue
            done = compare(attribute(ref("each"), column.name), "==", trees.value(to))
            members = [
                rows
                for rows in map(group.rows, group.values())
                if len(rows) == 2 and all(row[column.name] != to for row in rows)
            ]
            places = [trees.index(ref("found"), trees.value(number)) for number in (0, 1)]
            yield Sketch(
                "parallel_multi_hop",
                "members set",
                (table.name, group.column.name, column.name),
                group.binder,
                group.source,
                trees.both(
                    [
                        compare(group.counted(), "==", trees.value(2)),
                        compare(group.counted(done), "==", trees.value(0)),
                    ]
                ),
                say(world.random, "members set", group=group.phrase, what=shown(column), value=to),
                (
                    listed(group, "found"),
                    *(
                        set_(table, column, place, to, (f"Set the {shown(column)} of ", place, "."))
                        for place in places
                    ),
                ),
                None,
                len(members),
            )


READING: Sequence[Callable[[World], Iterator[Sketch]]] = (
    lookups,
    counts,
    summaries,
    tops,
    pairs,
    group_pairs,
    chains,
    tops_then,
    called_counts,
    siblings,
    only_members,
    chain_pairs,
    top_pairs,
    member_pairs,
)
WRITING: Sequence[Callable[[World], Iterator[Sketch]]] = (sets, member_sets)


def sketches(world: World, writes: bool) -> list[Sketch]:
    """Every question that the tables can answer and that gives a task at least."""
    patterns = (*READING, *WRITING) if writes else READING
    return [sketch for pattern in patterns for sketch in pattern(world) if sketch.members > 0]
