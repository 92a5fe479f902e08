"""TC01: what a file says cannot be read as toolc."""

from toolc.diagnostics.rule import Rule

HEAD = 'toolc 1\nenvironment example "An example."\n'


def _rule(code: str, title: str, message: str, explanation: str, bad: str, good: str) -> Rule:
    return Rule(code, title, message, explanation, HEAD + bad, HEAD + good)


RULES: tuple[Rule, ...] = (
    _rule(
        "TC0101",
        "unexpected text",
        "expected {expected}, found {found}",
        "The text cannot go on like this. The message says what the grammar takes at this point. "
        "The rest of the declaration is skipped, so mend the first error of a declaration first.",
        "const limit: int 3\n",
        "const limit: int = 3\n",
    ),
    _rule(
        "TC0102",
        "missing comma",
        "missing comma before {found}",
        "Members of a list (fields, parameters, arguments, values, facets, checks) are separated "
        "by commas. "
        "Declarations, statements, clauses and steps are not.",
        "const limits = [1, 2 3]\n",
        "const limits = [1, 2, 3]\n",
    ),
    _rule(
        "TC0103",
        "extra comma",
        "a comma does not belong here",
        "Declarations, statements, clauses and steps start with a word and need no separator; "
        "lists take one comma between two members and at most one after the last.",
        "const limits = [1,, 2]\n",
        "const limits = [1, 2]\n",
    ),
    Rule(
        "TC0104",
        "missing header",
        "a file starts with `toolc 1`",
        "The first line states the version of the language, so that a later compiler reads the "
        "file as it was meant.",
        'environment example "An example."\n',
        HEAD,
    ),
    Rule(
        "TC0105",
        "unknown language version",
        "version `{version}` of the language is not known; this compiler reads version 1",
        "The number after `toolc` is the version of the language, not of the environment.",
        HEAD.replace("toolc 1", "toolc 3"),
        HEAD,
    ),
    _rule(
        "TC0106",
        "string without an end",
        "this string does not end on its line",
        "A string ends with a double quote on the line that it starts on. A line break inside is "
        "written `\\n`.",
        'const greeting = "Hello\n',
        'const greeting = "Hello"\n',
    ),
    _rule(
        "TC0107",
        "unknown escape",
        "`{found}` is not an escape",
        'The escapes are `\\n`, `\\t`, `\\"`, `\\\\` and `\\u` with four hexadecimal digits, in '
        "pairs where a "
        "character needs two. A backslash itself is doubled.",
        'const folder = "C:\\data"\n',
        'const folder = "C:\\\\data"\n',
    ),
    _rule(
        "TC0108",
        "single-quoted string",
        "strings take double quotes",
        "Single quotes are for strings inside an interpolation: `\"{join(names, ', ')}\"`.",
        "const greeting = 'Hello'\n",
        'const greeting = "Hello"\n',
    ),
    _rule(
        "TC0109",
        "unknown character",
        "`{found}` means nothing here",
        "Outside strings and comments, toolc is written in letters, digits, `_` and its operators.",
        "const price = $3\n",
        "const price = 3\n",
    ),
    _rule(
        "TC0110",
        "malformed interpolation",
        "this string has {found}",
        "`{{expression}}` inside a string puts a value in. A brace that is meant as text is "
        "doubled: `{{{{` and `}}}}`. "
        "Inside, strings are written with single quotes.".format(),
        'const note = "a set: {}"\n',
        'const note = "a set: {{}}"\n',
    ),
    _rule(
        "TC0111",
        "triple-quoted string",
        "strings take one double quote on each side",
        "There are no strings over several lines; a line break is written `\\n`.",
        'const greeting = """Hello"""\n',
        'const greeting = "Hello"\n',
    ),
    _rule(
        "TC0112",
        "`=` for `:`",
        "a name and its value are joined by `:` here",
        "Fields of a value, facets and named arguments are written `name: value`; `=` binds "
        "names and gives defaults.",
        "const point = {x = 1, y: 2}\n",
        "const point = {x: 1, y: 2}\n",
    ),
    _rule(
        "TC0113",
        "`elif`",
        "`elif` is written `else if`",
        "A chain of conditions is `if a { … } else if b { … } else { … }`.",
        "fn sign(x: int) -> int {\n  if x > 0 { return 1 } elif x < 0 { return -1 }\n  return "
        "0\n}\n",
        "fn sign(x: int) -> int {\n  if x > 0 { return 1 } else if x < 0 { return -1 }\n  return "
        "0\n}\n",
    ),
    _rule(
        "TC0114",
        "a keyword of another language",
        "`{found}` is no keyword of toolc; this may be `{meant}`",
        "Functions are `fn`, those that write are `proc`, what a model may call is `tool`; "
        "records are `record`, "
        "constants `const`, data that changes `state` or `table`. That a tool is not called is "
        "written `never tool()`, that data stays as it is `unchanged [table]`.",
        "def twice(x: int) -> int { return 2 * x }\n",
        "fn twice(x: int) -> int { return 2 * x }\n",
    ),
    _rule(
        "TC0115",
        "a constant of Python",
        "`{found}` is written `{meant}`",
        "The constants are `null`, `true` and `false`, as in JSON.",
        "const open = True\n",
        "const open = true\n",
    ),
    _rule(
        "TC0116",
        "`//` comment",
        "comments start with `#`",
        "A comment runs from `#` to the end of its line. `//` divides and rounds down; an "
        "expression that goes on "
        "over lines keeps it at the end of a line.",
        "// the largest\nconst limit = 3\n",
        "# the largest\nconst limit = 3\n",
    ),
    _rule(
        "TC0117",
        "a notation of another language",
        "`{found}` is written `{meant}`",
        "Each language has its own signs; these are joined, compared and bound with those "
        "of toolc: `and or not`, `== !=`, `= += -= *=`, `->`, `for x in xs`, `else fail`.",
        "const ready = true && false\n",
        "const ready = true and false\n",
    ),
    _rule(
        "TC0118",
        "unclosed bracket",
        "this `{bracket}` is never closed",
        "Every bracket is closed in the declaration that opens it. A bracket further in may be "
        "the one that "
        "lacks its partner.",
        "const limits = [1, 2\nconst other = 3\n",
        "const limits = [1, 2]\nconst other = 3\n",
    ),
    _rule(
        "TC0119",
        "semicolon",
        "nothing is separated by `;`",
        "Statements and declarations need no separator, members of a list are separated by commas.",
        "const limit = 3;\n",
        "const limit = 3\n",
    ),
    Rule(
        "TC0120",
        "file too large",
        "a spec holds at most 1,048,576 characters",
        'Data belongs in a file of its own: `table cities[name]: City = file("data/cities.json")`.',
        HEAD + "# " + "data " * (1 << 18),
        HEAD,
    ),
    _rule(
        "TC0121",
        "nested too deeply",
        "this is nested too deeply",
        "Brackets nest at most 100 levels and expressions at most 150, counting each operator of "
        "a chain and, as one, every 3 branches of an `if` or a `match`. "
        "Name the parts with `let`, or join a long list of texts with `join`.",
        "const deep = " + "-" * 200 + "1\n",
        "const deep = -1\n",
    ),
    _rule(
        "TC0122",
        "not a text",
        "this file holds what is not UTF-8 text",
        "A spec is UTF-8 text without null characters.",
        'const broken = "\x00"\n',
        'const broken = ""\n',
    ),
    _rule(
        "TC0123",
        "a statement without effect",
        "this must be a call",
        "Where a statement or a step is an expression, it calls something: a tool, or a "
        "procedure that writes.",
        "proc tidy(limit: int) -> null {\n  limit\n  return null\n}\n",
        "proc tidy(limit: int) -> null {\n  return null\n}\n",
    ),
    _rule(
        "TC0124",
        "not a place",
        "a call's result cannot be written to",
        'A place starts with a local `var`, a state or a table: `orders[id].status = "cancelled"`.',
        "record Item { name: str }\ntable items[name]: Item = []\n"
        'proc clear() -> null {\n  first(items).name = ""\n  return null\n}\n',
        "record Item { name: str, note: str }\ntable items[name]: Item = []\n"
        'proc clear() -> null {\n  for item in items { items[item.name].note = "" }\n  return '
        "null\n}\n",
    ),
    _rule(
        "TC0125",
        "number too long",
        "a number is written with at most {limit} characters",
        "Integers hold 64 bits; more digits than a number can keep are a slip.",
        f"const large = {'9' * 101}\n",
        "const large = 9_000\n",
    ),
    _rule(
        "TC0126",
        "a statement of another language",
        "there is no `{found}` statement",
        "Bodies are total: they loop over data only, and refuse with `fail`.",
        "fn count(n: int) -> int {\n  var i = 0\n  while i < n { i += 1 }\n  return i\n}\n",
        "fn count(n: int) -> int {\n  var i = 0\n  for x in range(n) { i += 1 }\n  return i\n}\n",
    ),
    Rule(
        "TC0127",
        "said twice",
        "`{name}` is given twice",
        "Each part of the environment's declaration may be given once.",
        'toolc 1\nenvironment example "An example." seed 1 seed 2\n',
        'toolc 1\nenvironment example "An example." seed 2\n',
    ),
    _rule(
        "TC0128",
        "a closing bracket too many",
        "this `{found}` closes nothing",
        "A closing bracket stands where the innermost open bracket is of its kind.",
        "const limits = [1, 2)\n",
        "const limits = [1, 2]\n",
    ),
    _rule(
        "TC0129",
        "malformed number",
        "`{found}` is not a number",
        "Numbers are written like `42`, `1_000`, `2.5` or `1e-3`, with a digit on each side of "
        "the point.",
        "const share = 1.\n",
        "const share = 1.0\n",
    ),
    _rule(
        "TC0130",
        "a conditional of another language",
        "a conditional is written `if … then … else …`",
        "The condition comes first: `if c then a else b`, in place of `a if c else b` and "
        "`c ? a : b`.",
        "const limit = 3 if true else 4\n",
        "const limit = if true then 3 else 4\n",
    ),
    _rule(
        "TC0131",
        "prefix of a string",
        "a string takes no prefix, so no `{found}`",
        'Every string interpolates: `"{{name}} has {{count:,}} rows"`.'.format(),
        'fn greet(name: str) -> str { return f"Hello {name}" }\n',
        'fn greet(name: str) -> str { return "Hello {name}" }\n',
    ),
    _rule(
        "TC0132",
        "function as a value",
        "functions are not values, so there is no `lambda` and no `key`",
        "A comprehension says the same: `sorted(x for x in xs by x.price desc)`, "
        "`max(x for x in xs by x.price)`, `[x for x in xs if x.price > 3]`.",
        "fn shortest(names: list[str]) -> str { return min(names, key=lambda n: len(n)) }\n",
        "fn shortest(names: list[str]) -> str { return min(n for n in names by len(n)) }\n",
    ),
    _rule(
        "TC0133",
        "text without quotes",
        "`{found}` is written `{meant}`",
        "Keys that are ints, values of enums and of literal types, and versions are texts between "
        "double quotes. A key that is computed belongs in a comprehension: "
        "`{{[key]: value for …}}`.".format(),
        'const names: dict[int, str] = {1: "one"}\n',
        'const names: dict[int, str] = {"1": "one"}\n',
    ),
    Rule(
        "TC0134",
        "environment without a description",
        "the environment `{found}` has no description",
        "What an environment is about, in a sentence, stands after its name.",
        "toolc 1\nenvironment example\n",
        HEAD,
    ),
    _rule(
        "TC0135",
        "union of types",
        "types are not joined by `|`",
        '`|` joins texts: `"open" | "closed"`. What may be null is `T?`, records told apart by a '
        "field are a `union`, and any value at all is `json`.",
        "record Item { name: str | null }\n",
        "record Item { name: str? }\n",
    ),
    _rule(
        "TC0136",
        "type of another language",
        "the types of members stand in brackets",
        "Lists are `list[int]`, dicts `dict[str, int]`.",
        "record Item { tags: str[] }\n",
        "record Item { tags: list[str] }\n",
    ),
    _rule(
        "TC0137",
        "text that is no statement",
        "a text does nothing here",
        'What a tool does is said after its name: `tool find "Find a city." (…)`. Remarks are '
        "comments, which start with `#`.",
        'proc tidy() -> null {\n  "Tidies up."\n  return null\n}\n',
        "proc tidy() -> null {\n  # Tidies up.\n  return null\n}\n",
    ),
    _rule(
        "TC0138",
        "description out of place",
        "a description stands elsewhere",
        "The description of a function follows its name, that of a field or a parameter comes "
        "last, after the default.",
        'record Item { count: int "How many." = 1 }\n',
        'record Item { count: int = 1 "How many." }\n',
    ),
    _rule(
        "TC0139",
        "no result type",
        "the type of the result is missing",
        "After the parameters stands `-> T`; what gives nothing gives `null`.",
        "state count: int = 0\nproc tidy() {\n  count = 0\n}\n",
        "state count: int = 0\nproc tidy() -> null {\n  count = 0\n}\n",
    ),
    _rule(
        "TC0140",
        "a sign too many",
        "no `{found}` belongs here",
        "Clauses and declarations of types start with their word, without `:` or `=`.",
        "record Item = { name: str }\n",
        "record Item { name: str }\n",
    ),
    _rule(
        "TC0141",
        "computed key without brackets",
        "a key that is computed stands in brackets",
        "Before `:` stands the name of a field; in a comprehension of a dict the key is computed: "
        "`{{[x.id]: x for x in xs}}`.".format(),
        "fn squares() -> dict[int, int] { return {n: n * n for n in range(3)} }\n",
        "fn squares() -> dict[int, int] { return {[n]: n * n for n in range(3)} }\n",
    ),
    _rule(
        "TC0142",
        "block without braces",
        "a block stands in braces, not after `:`",
        "`if c {{ … }} else {{ … }}`, `for x in xs {{ … }}`: white space means nothing.".format(),
        "fn sign(x: int) -> int {\n  if x > 0: return 1\n  return 0\n}\n",
        "fn sign(x: int) -> int {\n  if x > 0 { return 1 }\n  return 0\n}\n",
    ),
)
