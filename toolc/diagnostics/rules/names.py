"""TC02: names."""

from __future__ import annotations

from toolc.diagnostics.rule import Rule
from toolc.diagnostics.rules.sample import HEAD, files, spec, tool, value

_DATES = 'toolc 1\nenum Period { "days", "weeks" }\n'

RULES: tuple[Rule, ...] = (
    Rule(
        "TC0201",
        "unknown name",
        "there is no `{name}` here",
        "A name is used that is not a parameter, a local, a constant, a table or a state of "
        "this environment.",
        value("books[titel].pages"),
        value("books[title].pages"),
    ),
    Rule(
        "TC0202",
        "duplicate name",
        "`{name}` stands here twice",
        "Names in one list (declarations of a file, fields of a record, parameters, locals of "
        "one block, values of an enum, keys of an object) are distinct.",
        spec("const limit = 3", "const limit = 4"),
        spec("const limit = 3", "const longest = 4"),
    ),
    Rule(
        "TC0203",
        "unknown type",
        "there is no type `{name}`",
        "A type is one of the built-in types, or the name of a `type`, `enum`, `record` or "
        "`union`.",
        spec("record Shelf { id: string }"),
        spec("record Shelf { id: str }"),
    ),
    Rule(
        "TC0204",
        "unknown table",
        "`ref` needs a table, and there is no table `{name}`",
        "`ref name` is the key of a table that this environment declares.",
        spec("record Loan { book: ref book }"),
        spec("record Loan { book: ref books }"),
    ),
    Rule(
        "TC0205",
        "reserved name",
        "`{name}` is a name that toolc keeps for itself",
        "Names that begin with two underscores, or with `_toolc`, are kept for emitted code; so is "
        "`_` for declarations. Tables and states keep their names in Python, so none of its "
        "keywords serves.",
        spec("const __limit = 3"),
        spec("const limit = 3"),
    ),
    Rule(
        "TC0206",
        "name of the language",
        "`{name}` is a name of the language and cannot be declared",
        "The built-in types and the special forms `absent`, `walk`, `file` and `values` cannot "
        "be declared anew.",
        spec('enum json { "yes", "no" }'),
        spec('enum Choice { "yes", "no" }'),
    ),
    Rule(
        "TC0207",
        "unknown file",
        "there is no file `{name}.toolc` in this compilation",
        "`use` names another file of the same compilation by its stem.",
        spec("use dates { Period }"),
        files(spec("use dates { Period }"), dates=_DATES),
    ),
    Rule(
        "TC0208",
        "name that cannot be used",
        "`{module}` has no type, constant or function `{name}`",
        "`use` brings types, constants and functions from another file, not its data or tools.",
        files(spec("use dates { Duration }"), dates=_DATES),
        files(spec("use dates { Period }"), dates=_DATES),
    ),
    Rule(
        "TC0209",
        "cyclic use",
        "`use {name}` comes back to this file",
        "Files use each other without cycles.",
        files(spec("use dates { Period }"), dates=_DATES + "use spec { Book }"),
        files(spec("use dates { Period }"), dates=_DATES),
    ),
    Rule(
        "TC0210",
        "function without a call",
        "`{name}` is a function: call it",
        "Functions, tools and built-ins are not values; they are called.",
        value("len"),
        value("len(title)"),
    ),
    Rule(
        "TC0211",
        "call of a value",
        "`{name}` is not a function",
        "Only declared functions and built-ins are called.",
        value("lent(1)"),
        value("lent"),
    ),
    Rule(
        "TC0212",
        "unknown function",
        "there is no function `{name}`",
        "A call names a declared `fn` or `proc`, or a built-in.",
        value("lenght(title)"),
        value("len(title)"),
    ),
    Rule(
        "TC0213",
        "method call",
        "there are no methods: `.{name}(…)` is not toolc",
        "Built-ins are called as functions, with the value as first argument.",
        value("title.upper()", result="str"),
        value("upper(title)", result="str"),
    ),
    Rule(
        "TC0214",
        "tool called from code",
        "`{name}` is a tool, and tools are called in plans and tests only",
        "What tools share belongs in a `fn` or, if it writes, in a `proc`.",
        spec(
            "tool pages(title: str) -> int { return books[title].pages }",
            "tool is_long(title: str) -> bool { return pages(title) > 300 }",
        ),
        spec(
            "fn pages(title: str) -> int { return books[title].pages }",
            "tool is_long(title: str) -> bool { return pages(title) > 300 }",
        ),
    ),
    Rule(
        "TC0215",
        "proc where nothing may be written",
        "`{name}` is a `proc`, and nothing may be written here",
        "A `fn`, a condition or an answer reads state and writes none, so it cannot call a `proc`.",
        spec(
            "proc count_loan() -> int {\n  lent += 1\n  return lent\n}",
            "fn next_number() -> int { return count_loan() + 1 }",
        ),
        spec(
            "proc count_loan() -> int {\n  lent += 1\n  return lent\n}",
            "proc next_number() -> int { return count_loan() + 1 }",
        ),
    ),
    Rule(
        "TC0216",
        "misplaced comprehension",
        "a comprehension without brackets cannot be given to `{name}`",
        "A bare comprehension is the only argument of a built-in that takes one list; anywhere "
        'else it stands in brackets: `join([b.title for b in books], ", ")`.',
        value("join(b.title for b in books)", result="str"),
        value("join([b.title for b in books], ', ')", result="str").replace("'", '"'),
    ),
    Rule(
        "TC0217",
        "too many arguments",
        "one argument too many: `{name}` takes {wanted}",
        "A call gives at most one value to each parameter.",
        spec(
            "fn twice(n: int) -> int { return 2 * n }",
            "const two = 2",
            "tool four() -> int { return twice(two, two) }",
        ),
        spec(
            "fn twice(n: int) -> int { return 2 * n }",
            "const two = 2",
            "tool four() -> int { return twice(two) }",
        ),
    ),
    Rule(
        "TC0218",
        "unknown parameter",
        "`{function}` has no parameter `{name}`",
        "A named argument names a parameter of the function.",
        spec(
            "fn twice(n: int) -> int { return 2 * n }",
            "tool four() -> int { return twice(m: 2, n: 2) }",
        ),
        spec(
            "fn twice(n: int) -> int { return 2 * n }", "tool four() -> int { return twice(n: 2) }"
        ),
    ),
    Rule(
        "TC0219",
        "missing argument",
        "`{function}` also needs {names}",
        "Every parameter without a default, and not optional, gets an argument.",
        spec("fn twice(n: int) -> int { return 2 * n }", "tool four() -> int { return twice() }"),
        spec("fn twice(n: int) -> int { return 2 * n }", "tool four() -> int { return twice(2) }"),
    ),
    Rule(
        "TC0220",
        "wrong number of arguments",
        "`{name}` takes {wanted}, not {found} arguments",
        "A built-in takes the arguments of one of its signatures.",
        value("len(title, title)"),
        value("len(title)"),
    ),
    Rule(
        "TC0221",
        "wrong types of arguments",
        "`{name}` does not take ({found})",
        "The arguments of a built-in have the types of one of its signatures.",
        value("len(3)"),
        value("len(title)"),
    ),
    Rule(
        "TC0222",
        "order that is not used",
        "`{name}` has no use for an order",
        "`by` orders the comprehension of `sorted`, `min`, `max`, `first` or `last`, or one in "
        "brackets.",
        value("sum(b.pages for b in books by b.title)"),
        value("sum(b.pages for b in books)"),
    ),
    Rule(
        "TC0223",
        "second environment",
        "a second environment, `{name}`, in one compilation",
        "One set of files declares one environment.",
        files(
            spec("use archive { Id }"),
            archive=HEAD.replace("library", "archive") + "type Id = str\n",
        ),
        files(spec("use archive { Id }"), archive="toolc 1\ntype Id = str\n"),
    ),
    Rule(
        "TC0224",
        "declaration in a used file",
        "a file without an environment holds types, constants and functions only",
        "Data, state, tools, scenarios and tests belong to the file that declares the environment.",
        files(spec("use dates { Period }"), dates=_DATES + "state today: int = 0"),
        files(spec("use dates { Period }"), dates=_DATES),
    ),
    Rule(
        "TC0225",
        "no environment",
        "no environment is declared",
        'One file of the compilation begins with `environment name "what it is"`.',
        "toolc 1\nstate lent: int = 0\n",
        HEAD + "state lent: int = 0\n",
    ),
    Rule(
        "TC0226",
        "required parameter after an optional one",
        "`{name}` is required and comes after an optional parameter",
        "In a function that is called by position, optional parameters come last.",
        spec("fn pad_to(width: int = 8, text: str) -> str { return pad(text, width) }"),
        spec("fn pad_to(text: str, width: int = 8) -> str { return pad(text, width) }"),
    ),
    Rule(
        "TC0227",
        "unused local",
        "the {what} `{name}` is never read",
        "A value that nothing reads is mostly a slip: another name was meant, or a condition is "
        "missing. A name that starts with `_` is meant to be unused. A tool whose schema is given "
        "keeps its parameter and says so with `let _ = name`; one that reads none is exempt.",
        tool("let pages = books[title].pages", "let rating = books[title].rating", "return pages"),
        tool("let pages = books[title].pages", "return pages"),
        "warning",
    ),
    Rule(
        "TC0228",
        "unused declaration",
        "the {what} `{name}` is never used",
        "No tool, scenario, test or invariant leads to this declaration, so it changes nothing. "
        "Files that others `use` are exempt.",
        tool("return books[title].pages") + "const limit = 3\n",
        tool("return books[title].pages"),
        "warning",
    ),
)
