"""The grammar's terminals in the user's words, and words that other languages use instead."""

from __future__ import annotations

from collections.abc import Set


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DECLARATIONS = _words(
    "environment use const type enum record union table state invariant fn proc tool scenario test"
)
TYPE_ITEMS = _words("type enum record union")
SCALAR_TYPES = _words("bool int float decimal str date time datetime duration json list dict")
STATEMENTS = _words(
    "let var require fail return continue break if for match"
    " insert append remove delete expect advance"
)
# Keywords of expressions, which name no value, and those that cannot start a statement as a place.
NO_VALUE = _words("if then else not and or in for true false null")
NO_PLACE = NO_VALUE | STATEMENTS
GUARDED = NO_PLACE | DECLARATIONS
CLAUSES = _words("system user given turn plan answer reply tools limits verify reward")
CHECKS = _words("steps state answer check called never unchanged order constraint")
EXPRESSION = frozenset(
    ["NAME", "STRING", "NUMBER", "(", "[", "{", "-", "not", "if", "true", "false", "null"]
)
VALUE = EXPRESSION - {"not", "if"}
TYPE = frozenset(["NAME", "STRING", "ref", "null", "(", "{"])
OPERATORS = _words(
    ". [ ( + - * / // % ** ?? == != <= >= < > in not and or else if for by ? = += -= *= |"
)
GROUPS = (
    (DECLARATIONS, "a declaration"),
    (STATEMENTS | {"NAME"}, "a statement"),
    (CLAUSES, "a clause such as `user`, `plan` or `answer`"),
    (CHECKS, "a check such as `steps`, `state` or `check`"),
    (EXPRESSION, "an expression"),
    (TYPE, "a type"),
    (VALUE, "a value"),
)
PLAIN = {"NAME": "a name", "STRING": "a string", "NUMBER": "a number"}
MAX_SHOWN = 5

FOREIGN_KEYWORDS = {
    "def": "fn",
    "func": "fn",
    "function": "fn",
    "class": "record",
    "struct": "record",
    "interface": "record",
    "import": "use",
    "let": "const",
    "var": "state",
    "prompt": "user",
    "response": "reply",
    "not_called": "never",
    "forbidden": "never",
    "immutable": "unchanged",
}
RENAMED = _words("record const user reply never unchanged")
"""Keywords that a foreign one stands for without a doubt."""
FOREIGN_STATEMENTS = {
    "pass": "leave the block empty: `{}`",
    "while": "loops run over data: `for x in xs { … }`, `range(n)`, `walk(…)`",
    "try": "handle a failure where it can happen: `value else fail …` or `value ?? default`",
    "except": "handle a failure where it can happen: `value else fail …` or `value ?? default`",
    "raise": 'refuse with `fail "…"`',
    "throw": 'refuse with `fail "…"`',
    "assert": 'check with `require condition else fail "…"`',
    "switch": 'choose with `match value { case "…" { … } else { … } }`',
    "const": "bind a local with `let`",
    "def": "declare functions outside, with `fn name(…) -> type { … }`",
    "int": "bind a local with `let name: int = …`",
    "str": "bind a local with `let name: str = …`",
    "float": "bind a local with `let name: float = …`",
}


def expected(accepted: Set[str], end: str) -> str:
    """What may stand here, given the spellings of the terminals that the grammar takes.

    `end` says what the end of the text is.
    """
    rest = set(accepted)
    shown: list[str] = []
    for group, phrase in GROUPS:
        if group <= rest:
            shown.append(phrase)
            rest -= group
    if shown:
        rest -= {"$END", *(OPERATORS - {"else"} if "a statement" in shown else ())}
    if {".", "+"} <= rest:
        operators = rest & OPERATORS
        rest -= operators
        if not rest and not shown:
            shown.append("an operator")
    shown += [phrase for word, phrase in PLAIN.items() if word in rest]
    shown += [f"`{word}`" for word in sorted(rest - PLAIN.keys() - {"$END"})]
    shown += [end] if "$END" in rest else []
    if len(shown) > MAX_SHOWN:
        return "one of " + ", ".join(shown[:MAX_SHOWN]) + ", …"
    return (
        " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else "nothing more"
    )
