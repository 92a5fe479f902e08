"""TC04: data files, and the rows that they hold.

An example that needs a data file carries it: `# file: rows.csv` starts it, each following
comment line is a line of it.
"""

from __future__ import annotations

from toolc.diagnostics.rule import Rule

_SPEC = """\
toolc 1
environment people "People." version "1.0"
record Person {{ name: str, age: int }}
table people[name]: Person = file("{file}")
tool count "How many people there are." () -> int {{ return len(people) }}
"""


def _example(file: str, *lines: str) -> str:
    return _SPEC.format(file=file) + f"# file: {file}\n" + "".join(f"# {line}\n" for line in lines)


_GOOD_CSV = _example("people.csv", "name,age", "Ada,36")
_GOOD_JSON = _example("people.json", '[{"name": "Ada", "age": 36}]')

_FRIENDS = """\
toolc 1
environment people "People." version "1.0"
record Person { name: str, friend: ref people }
table people[name]: Person = file("people.json")
tool count "How many people there are." () -> int { return len(people) }
"""

RULES: tuple[Rule, ...] = (
    Rule(
        "TC0401",
        "file cannot be read",
        "`{file}` cannot be read: {reason}",
        "A data file of a table, or a spec itself, is missing, is not a plain file, may not be "
        "read, is larger than the compiler takes, or is not UTF-8 text.",
        _SPEC.format(file="people.csv"),
        _GOOD_CSV,
    ),
    Rule(
        "TC0402",
        "path leaves the spec's folder",
        "`{file}` is not inside the spec's folder",
        "Data files are named relative to the spec that uses them and stay below its folder: no "
        "absolute path, no `..`, no symbolic link that leads out. So a spec can be moved, and "
        "a spec from elsewhere reads nothing that it did not bring.",
        _example("../people.csv", "name,age"),
        _GOOD_CSV,
    ),
    Rule(
        "TC0403",
        "unknown data format",
        "`{file}` is not a .csv, .json or .jsonl file",
        "The ending of a data file's name says how it is read: `.csv` (a header, then rows), "
        "`.json` (a list of objects, or one object from key to row), `.jsonl` (an object a line).",
        _example("people.txt", "Ada"),
        _GOOD_CSV,
    ),
    Rule(
        "TC0404",
        "malformed CSV",
        "malformed CSV: {reason}",
        "CSV is read strictly: one header without repeated or empty names, as many cells in each "
        "row as in the header, quotes closed, and no text after a closing quote.",
        _example("people.csv", "name,age", "Ada,36,London"),
        _GOOD_CSV,
    ),
    Rule(
        "TC0405",
        "malformed JSON",
        "malformed JSON: {reason}",
        "JSON is read strictly: no repeated keys in an object, no NaN or infinity, integers of at "
        "most 64 bits, no lone surrogates, and nothing after the value.",
        _example("people.json", '[{"name": "Ada", "age": 36, "age": 37}]'),
        _GOOD_JSON,
    ),
    Rule(
        "TC0406",
        "rows of the wrong shape",
        "expected {expected}, found {found}",
        "A table's `.json` file holds a list of objects, or one object from key to row; each line "
        "of a `.jsonl` file holds one object.",
        _example("people.json", '["Ada"]'),
        _GOOD_JSON,
    ),
    Rule(
        "TC0407",
        "environment compiled twice",
        "environment `{name}` is declared in `{other}` too",
        "The environments that are compiled together have one name each: the name is the folder "
        "of the build that holds it.",
        _GOOD_CSV
        + "# file: twin.toolc\n"
        + "".join(f"# {line}\n" for line in _SPEC.format(file="people.csv").splitlines()),
        _GOOD_CSV,
    ),
    Rule(
        "TC0410",
        "row does not fit its table",
        "a row of `{table}` does not fit: {problem}",
        "Every row is checked against the table's record before anything runs: types, facets, "
        "required fields. CSV cells are read as the field's type; an empty cell is an absent or "
        "null value where the field allows one.",
        _example("people.csv", "name,age", "Ada,old"),
        _GOOD_CSV,
    ),
    Rule(
        "TC0411",
        "key used twice",
        "`{table}` has another row with the key `{key}`",
        "A table's key names one row.",
        _example("people.csv", "name,age", "Ada,36", "Ada,37"),
        _GOOD_CSV,
    ),
    Rule(
        "TC0412",
        "wrong key of a row",
        "a key of `{table}` does not fit: {problem}",
        "The key of a row is of the type that the table declares. Where a data file is an object "
        "from key to row and the key is a field of the row too, both must agree.",
        _example("people.json", '{"Bob": {"name": "Ada", "age": 36}}'),
        _example("people.json", '{"Ada": {"name": "Ada", "age": 36}}'),
    ),
    Rule(
        "TC0413",
        "reference to a missing row",
        "`{field}` refers to `{key}`, which `{table}` does not have",
        "A `ref` holds a key of the table that it names; this is checked once all tables are "
        "loaded, so tables may refer to each other.",
        _FRIENDS + '# file: people.json\n# [{"name": "Ada", "friend": "Bob"}]\n',
        _FRIENDS + '# file: people.json\n# [{"name": "Ada", "friend": "Ada"}]\n',
    ),
)
