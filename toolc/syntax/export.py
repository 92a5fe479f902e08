"""The grammar for a decoder that constrains a language model.

llguidance reads Lark's notation, but knows no contextual keywords: a NAME may be a keyword's text.
The variant excludes keywords from NAME and allows them, use by use, where the parser does. Strings
that interpolate are spelled out, with the expressions in their holes, so that every brace in them
is closed. `toolc.emission.constrain` says what it still allows and the parser does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from toolc.syntax import tables, words

KEYWORD = re.compile(r'"([a-z]+)"')
NAME = re.compile(r"^NAME: (/.*/)$", re.MULTILINE)
USE = re.compile(r"^(\w+): NAME\b(.*)$", re.MULTILINE)
# Keywords that a use of a name cannot be; elsewhere every keyword is a name too.
EXCLUDED = {
    "ref": words.NO_VALUE,
    "target": words.NO_PLACE,
    "type_name": frozenset({"ref", "null"}),
}

CALLED = re.compile(r"\bplace( +-> call_statement)")  # the parser takes no other place for one
RULE = re.compile(r"^([?!]?)([a-z_]+):")
PART = re.compile(r"^(?=\S)", re.MULTILINE)
LONE = re.compile(r"\b(?:string|STRING) \| |\| (?:string|STRING)\b")
LITERAL_OR_WORD = re.compile(r'"[^"]*"|->\s*\w+|\b[a-zA-Z_]+\b')
HEX = "[0-9a-fA-F]"
ESCAPE = (
    rf"""\\(["'\\nt]|u[0-9a-cefA-CEF]{HEX}{{3}}|u[dD][0-7]{HEX}{{2}}"""
    rf"|u[dD][89abAB]{HEX}{{2}}\\u[dD][c-fC-F]{HEX}{{2}})"
)
FORMAT = r"(:[<>^]?[+ ]?0?[0-9]*,?(\.[0-9]+)?[defg%]?)?"


def decoder_grammar() -> str:
    """Lark text for llguidance; it accepts whatever the parser accepts."""
    text = tables.resource("toolc.lark")
    words = keywords()

    def use(found: re.Match[str]) -> str:
        allowed = [word for word in words if word not in EXCLUDED.get(found[1], ())]
        return f"{found[1]}: NAME{found[2]} | " + " | ".join(f'"{word}"' for word in allowed)

    text = USE.sub(use, CALLED.sub(r'place "(" [arguments] ")" \1', text))
    text = NAME.sub(lambda found: f"NAME: {found[1]} & ~/{'|'.join(words)}/", text)
    parts = [part.rstrip() for part in PART.split(text)]
    rules = {found[2]: part for part in parts if (found := RULE.match(part))}
    # Where an argument begins, a text may be its label or its value: only what is both is read.
    quoted = rules["label"].replace("label: NAME | STRING", "argument_label: NAME | string")
    rules["argument"] = rules["argument"].replace("label ", "argument_label ")
    rules["argument_label"] = quoted
    changed = {
        rules["header"]: 'header: "toolc" "1"',
        rules["string"]: _string("string", "expr_in_hole", ""),
        _rule(parts, "argument"): f"{rules['argument']}\n{quoted}",
    }
    kept = [
        changed.get(part, part) for part in parts if not part.startswith(("STRING:", "COMMENT:"))
    ]
    lines = [
        *kept,
        *_terminals("", '"', '"'),
        *_copies(rules, "_in_hole"),
        _string("string_in_hole", "expr_in_string", "_IN_HOLE"),
        *_terminals("_IN_HOLE", "'", "'\""),
        *_copies(rules, "_in_string"),
        r"COMMENT: /#[^\x00\n]*/",
    ]
    return "\n".join([*lines, ""])


def _rule(parts: Iterable[str], name: str) -> str:
    return next(part for part in parts if (found := RULE.match(part)) and found[2] == name)


def keywords() -> list[str]:
    """The words of the language, in order."""
    return sorted(set(KEYWORD.findall(tables.resource("toolc.lark"))))


def _string(name: str, hole: str, suffix: str) -> str:
    """The rule of strings that interpolate."""
    head, middle, tail, whole = (f"{each}{suffix}" for each in ("HEAD", "MIDDLE", "TAIL", "WHOLE"))
    return f"{name}: {whole} | {head} {hole} ({middle} {hole})* {tail}"


def _terminals(suffix: str, quote: str, barred: str) -> list[str]:
    """The terminals of strings between these quotes; `barred` cannot stand in them."""
    piece = rf"([^{barred}\\{{}}\x00\r\n]|{ESCAPE}|\{{\{{|\}}\}})*"
    return [
        rf"STRING{suffix}: /{quote}([^{barred}\\\x00\r\n]|{ESCAPE})*{quote}/",
        rf"WHOLE{suffix}: /{quote}{piece}{quote}/",
        rf"HEAD{suffix}: /{quote}{piece}\{{/",
        rf"MIDDLE{suffix}: /{FORMAT}\}}{piece}\{{/",
        rf"TAIL{suffix}: /{FORMAT}\}}{piece}{quote}/",
    ]


def _copies(rules: Mapping[str, str], suffix: str) -> list[str]:
    """The rules of expressions again, for another kind of strings in them."""
    needed: dict[str, None] = {}
    waiting = ["expr"]
    while waiting:
        name = waiting.pop()
        if name in rules and name not in needed:
            needed[name] = None
            waiting += LITERAL_OR_WORD.findall(rules[name].partition(":")[2])
    renamed = {name: name + suffix for name in needed if _holds_strings(name)}
    lone = suffix == "_in_string"  # where no quotes are left
    copies = []
    for name, copy in renamed.items():
        if name == "string":
            continue
        mode, _ = RULE.match(rules[name]).groups()  # type: ignore[union-attr]
        body = rules[name].partition(":")[2]
        body = LONE.sub("", body) if lone else body
        shown = LITERAL_OR_WORD.sub(
            lambda found: {**renamed, "STRING": "STRING_IN_HOLE"}.get(found[0], found[0]), body
        )
        copies.append(f"{mode}{copy}:{shown}")
    return copies


def _holds_strings(name: str) -> bool:
    return name not in ("ref", "binder", "binders", "number") and not name.endswith("_op")
