"""TC045: tables and places, as a spec declares them."""

from __future__ import annotations

from toolc.diagnostics.rule import Rule
from toolc.diagnostics.rules.sample import spec, tool


def _table(table: str) -> str:
    return spec("record Shelf { id: str, height: float }", table)


def _counted(statement: str) -> str:
    tool = f"tool count(title: str) -> int {{\n  {statement}\n  return 1\n}}"
    return spec("table counts[title: str]: {count: int} = {}", tool)


RULES: tuple[Rule, ...] = (
    Rule(
        "TC0451",
        "key that the row does not have",
        "`{type}` has no field `{name}` to be the key",
        "The key of a table is a field of its row, or is declared with a type of its own: "
        "`table users[user_id: str]: User`.",
        _table("table shelves[name]: Shelf = []"),
        _table("table shelves[id]: Shelf = []"),
    ),
    Rule(
        "TC0452",
        "misplaced file",
        "`file(…)` stands after a table only",
        "Rows of a table come from a file; nothing else reads one.",
        _table('const rows = file("shelves.json")'),
        _table('table shelves[id]: Shelf = file("shelves.json")'),
    ),
    Rule(
        "TC0453",
        "not a table",
        "`insert` puts a row into a table",
        "`insert row into table`; into a list, `append value to place`.",
        tool("insert 1 into lent", "return 1"),
        tool("lent = 1", "return 1"),
    ),
    Rule(
        "TC0454",
        "insert without a key",
        "the rows of `{table}` do not hold their key: write `insert row into {table}[key]`",
        "The key of this table is not a field of its row.",
        _counted("insert {count: 1} into counts"),
        _counted("insert {count: 1} into counts[title]"),
    ),
    Rule(
        "TC0455",
        "insert with a key",
        "the rows of `{table}` hold their key: write `insert row into {table}`",
        "The key of this table is a field of its row.",
        tool("insert {title: title, pages: 1, rating: null} into books[title]", "return 1"),
        tool("insert {title: title, pages: 1, rating: null} into books", "return 1"),
    ),
    Rule(
        "TC0456",
        "nothing to delete",
        "this cannot be deleted",
        "`delete` takes a row of a table, a key of a dict or an optional field.",
        tool("delete books[title].pages", "return 1"),
        tool("delete books[title].isbn", "return 1"),
    ),
    Rule(
        "TC0457",
        "keys of two sorts",
        "either all keys are fields of the row, or none is",
        "A composite key is made of fields, or of keys that the row does not hold.",
        _table("table shelves[id, floor: int]: Shelf = []"),
        _table("table shelves[id]: Shelf = []"),
    ),
    Rule(
        "TC0458",
        "rows that are no records",
        "a table's rows are records, not `{type}`",
        "Each row of a table is a record or a union of records.",
        spec('table shelves[id: str]: str = {"A1": "novels"}'),
        spec('table shelves[id: str]: {topic: str} = {"A1": {topic: "novels"}}'),
    ),
    Rule(
        "TC0459",
        "type that cannot be a key",
        "`{type}` cannot be the key of a table",
        "Keys are texts, ints or dates.",
        _table("table shelves[height]: Shelf = []"),
        _table("table shelves[id]: Shelf = []"),
    ),
    Rule(
        "TC0462",
        "no rows",
        'a table\'s rows are `file("…")` or a list of records',
        "Rows stand in a data file, or in the spec as literals.",
        _table("table shelves[id]: Shelf = 3"),
        _table("table shelves[id]: Shelf = []"),
    ),
)
