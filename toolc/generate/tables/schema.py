"""What is known of tables: their columns, keys and references, and how they are called.

A schema is inferred from data (`inference.py`), and read back from a spec that was made of one,
so that every stage works on what the spec in front of it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from toolc.generate.tables.words import Noun, noun_of
from toolc.importing.names import words
from toolc.syntax import tree

Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column: `name` as in the spec; `type` a scalar type of the language; `values` where it is
    one of a few texts, whose type is called `enum`; `refers` the table whose key it holds."""

    name: str
    type: str
    optional: bool = False
    values: tuple[str, ...] = ()
    enum: str = ""
    refers: str = ""
    original: str = ""
    spoken: bool = True
    """Whether its cells can stand in a sentence."""
    key: bool = False

    @property
    def measure(self) -> bool:
        """Whether it holds amounts, which can be compared."""
        found = set(words(self.name))
        return (
            self.type in ("int", "float")
            and not (self.key or self.refers)
            and not found & _NO_AMOUNTS
        )

    @property
    def summable(self) -> bool:
        """Whether sums of it mean something."""
        return self.measure and not set(words(self.name)) & (_POSITIONS | _LEVELS)

    @property
    def averaged(self) -> bool:
        return self.measure and not set(words(self.name)) & _POSITIONS


_NO_AMOUNTS = frozenset(
    (
        "id",
        "ids",
        "no",
        "number",
        "code",
        "zip",
        "postcode",
        "phone",
        "year",
        "born",
        "key",
        "index",
        "row",
        "line",
        "version",
    )
)
_POSITIONS = frozenset(
    ("latitude", "longitude", "lat", "lon", "lng", "offset", "floor", "x", "y", "z")
)
_LEVELS = frozenset(
    (
        "rating",
        "rate",
        "rates",
        "percent",
        "percentage",
        "share",
        "ratio",
        "stars",
        "score",
        "age",
        "level",
        "rank",
        "price",
        "temperature",
        "density",
        "average",
        "mean",
    )
)


class Table(NamedTuple):
    """A table: `key` are the columns that tell its rows apart, `label` a column by whose texts
    people call them, "" where there is none; `numbered` where the key was made up."""

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    label: str = ""
    numbered: bool = False
    rows: tuple[Row, ...] = ()
    source: str = ""

    @property
    def noun(self) -> Noun:
        return noun_of(self.name)

    @property
    def single(self) -> str:
        """The one column that is the key, "" where there are several."""
        return self.key[0] if len(self.key) == 1 else ""

    def references(self) -> Iterable[Column]:
        return (column for column in self.columns.values() if column.refers)


class Schema(NamedTuple):
    """The tables of one environment, by name."""

    name: str
    tables: Mapping[str, Table]

    def target(self, column: Column) -> Table:
        return self.tables[column.refers]


LABELS = ("name", "title", "label", "full_name", "username", "email")
LOCALS = frozenset(
    (
        "each",
        "other",
        "found",
        "one",
        "two",
        "best",
        "first",
        "second",
        "number",
        "key",
        "cell",
        "figure",
        "shared",
        "pair",
        "row",
        "result",
        "left",
        "right",
        "step",
        "further",
    )
)
"""Names that plans and conditions give to what is theirs; tables and members have others."""

NUMBER = "row_number"
"""The key of tables that have none."""


def schema_of(items: Iterable[tree.Item]) -> Schema:
    """The schema that a spec declares, without rows."""
    items = tuple(items)
    enums = {
        item.name.text: tuple(value.value for value in item.values)
        for item in items
        if isinstance(item, tree.Enum)
    }
    records = {item.name.text: item for item in items if isinstance(item, tree.Record)}
    name = next(item.name.text for item in items if isinstance(item, tree.Environment))
    tables = {}
    for item in items:
        if isinstance(item, tree.Table) and isinstance(item.row, tree.NamedType):
            key = tuple(each.name.text for each in item.keys)
            columns = {
                member.name.text: _column(member, enums, member.name.text in key)
                for member in records[item.row.name].members
            }
            label = label_of(columns, key)
            tables[item.name.text] = Table(item.name.text, columns, key, label, key == (NUMBER,))
    return Schema(name, tables)


def label_of(columns: Mapping[str, Column], key: tuple[str, ...]) -> str:
    """The column by whose texts people call rows, if there is one beside the key."""
    return next(
        (
            name
            for name in LABELS
            if name in columns and name not in key and columns[name].type == "str"
        ),
        "",
    )


def _column(member: tree.Field, enums: Mapping[str, tuple[str, ...]], key: bool) -> Column:
    kind = member.type
    optional = isinstance(kind, tree.OptionalType)
    if isinstance(kind, tree.OptionalType):
        kind = kind.inner
    if isinstance(kind, tree.RefType):
        return Column(member.name.text, "str", optional, refers=kind.table.text, key=key)
    name = kind.name if isinstance(kind, tree.NamedType) else "json"
    if name in enums:
        return Column(member.name.text, "str", optional, enums[name], name, key=key)
    return Column(member.name.text, name, optional, key=key)
