"""Text to tokens in one pass of one pattern.

Whether a word is a keyword or a name is for the parser to say, since only it knows what may stand
there. Slips that are plain from the text alone (single quotes, `&&`, a line that starts with
`//`) are reported and mended here, so that the parse goes on.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from toolc.diagnostics.diagnostic import Edit, Fix, Reporter
from toolc.node import Span
from toolc.syntax.tree import Comment

MAX_DEPTH = 100
MAX_NUMBER = 100
MAX_ERRORS = 50
BYTE_ORDER_MARK = "\ufeff"

OPERATORS = (
    "...", "->", "==", "!=", "<=", ">=", "+=", "-=", "*=", "**", "//", "??",
    *"{}[]().,:=<>+-*/%?|",
)  # fmt: skip
PATTERN = re.compile(
    r"[ \t\r\n]*(?:"
    r"(?P<word>[A-Za-z_][A-Za-z0-9_]*(?!\w))"
    r"|(?P<number>[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]))"
    r'|(?P<triple>"""[\s\S]*?(?:"""|\Z))'
    r'|(?P<string>"(?:[^"\\\r\n]|\\[^\r\n])*")'
    r"|(?P<foreign>&&|\|\||!(?!=)|;)"
    rf"|(?P<operator>{'|'.join(map(re.escape, OPERATORS))})"
    r"|(?P<comment>\#[^\n]*)"
    r"|(?P<quoted>'(?:[^'\\\r\n]|\\[^\r\n])*')"
    r"|(?P<template>`(?:[^`\\\r\n]|\\[^\r\n])*`)"
    r"|(?P<unterminated>[\"'][^\r\n]*)"
    r"|(?P<malformed>[0-9][\w.]*)"
    r"|(?P<other>[^\W\d]\w*|[^ \t\r\n]))"
)
LINE_COMMENT = re.compile(r"[^\r\n]*")
_RAISED = re.compile(
    r"[ \t]+(?P<call>(?:new[ \t]+)?\w+\([ \t]*)?"
    r'(?P<text>"(?:[^"\\\r\n]|\\[^\r\n])*")(?(call)[ \t]*\))'
)
_TYPED = re.compile(r"[ \t]+(?P<name>[A-Za-z_]\w*)[ \t]*=(?!=)")
FOREIGN_STARTS = {
    "raise": _RAISED,
    "throw": _RAISED,
    "pass": re.compile(r"(?=\s*\})"),
    "const": re.compile(r"(?=[ \t]+[A-Za-z_]\w*[ \t]*(?::[^=\n]*)?=)"),
    "del": re.compile(r"(?=[ \t]+[A-Za-z_]\w*[\[.])"),
    **dict.fromkeys(("int", "float", "str", "bool"), _TYPED),
}
"""What a statement of another language goes on with, by the word that starts it."""
FOREIGN_WORDS = {"&&": "and", "||": "or", "!": "not"}


class Stop(Exception):
    """Reading on is pointless or unbounded; the reason has been reported."""


class Tokens(NamedTuple):
    """Columns of one table: the terminal, the first offset and the last; `$END` comes last.

    `words` has the text of a mended token, by its offsets, where that is not what stands there.
    """

    kinds: list[int]
    starts: list[int]
    ends: list[int]
    comments: list[Comment]
    words: dict[tuple[int, int], str]


class Lexer:
    """Reads one text.

    In a `hole`, the inside of an interpolation, strings are single-quoted.
    """

    def __init__(self, text: str, kinds: dict[str, int], reporter: Reporter) -> None:
        self.text = text
        self.reporter = reporter
        self.kinds = kinds

    def tokens(self, start: int, end: int, *, hole: bool = False) -> Tokens:
        """The tokens between two offsets.

        Raises Stop where brackets nest too deeply or the text is hopeless.
        """
        text, kind_of = self.text, self.kinds
        name, number, string = kind_of["NAME"], kind_of["NUMBER"], kind_of["STRING"]
        kinds: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        comments: list[Comment] = []
        words: dict[tuple[int, int], str] = {}
        depth = 0
        position = start + self.text.startswith(BYTE_ORDER_MARK, start)
        match = PATTERN.match
        while found := match(text, position, end):
            group = found.lastgroup or ""
            before = position
            first, position = found.span(group)
            if group == "word":
                word = found[group]
                kind = kind_of.get(word, name)
                if (
                    word == "elif"
                    and kinds
                    and kinds[-1] == kind_of["}"]
                    and self._is_elif(position)
                ):
                    kinds.append(kind_of["else"])
                    starts.append(first)
                    ends.append(position)
                    kind = kind_of["if"]
                elif word in FOREIGN_STARTS and depth and self._starts(before, first, kinds):
                    mend = self._statement(word, first, position)
                    if mend is not None:
                        position, mended_tokens = mend
                        for spelling, start_, end_ in mended_tokens:
                            kinds.append(kind_of[spelling])
                            starts.append(start_)
                            ends.append(end_)
                        continue
            elif group == "operator":
                word = found[group]
                kind = kind_of[word]
                if word in "([{":
                    depth += 1
                    if depth > MAX_DEPTH:
                        self.reporter.report("TC0121", Span(first, position))
                        raise Stop
                elif word in ")]}":
                    depth -= depth > 0
                elif word == "/" and text[position : position + 1] == "*" and not hole:
                    position = self._block_comment(first, end)
                    continue
                elif word == "//" and not hole and "\n" in text[before:first]:
                    position = self._slashes(first, end)
                    continue
            elif group == "string" or (hole and group == "quoted"):
                kind = string
            elif group == "number":
                kind = number
                if position - first > MAX_NUMBER:
                    self._report("TC0125", Span(first, position), limit=MAX_NUMBER)
            elif group == "comment" and not hole:
                written = found[group].rstrip()
                comments.append(Comment(Span(first, first + len(written)), written))
                continue
            else:
                mended = self._mend(group, Span(first, position))
                if mended is None:
                    continue
                kind = mended
                if group == "foreign":
                    words[first, position] = FOREIGN_WORDS[text[first:position]]
            kinds.append(kind)
            starts.append(first)
            ends.append(position)
        kinds.append(kind_of["$END"])
        starts.append(end)
        ends.append(end)
        return Tokens(kinds, starts, ends, comments, words)

    def _slashes(self, first: int, end: int) -> int:
        """Report a line that starts with `//`; the offset of its end."""
        fix = Fix("start the comment with `#`", (Edit(Span(first, first + 2), "#"),))
        line = LINE_COMMENT.match(self.text, first, end)
        assert line is not None
        self._report("TC0116", Span(first, first + 2), fix)
        return line.end()

    def _block_comment(self, first: int, end: int) -> int:
        """Report `/* … */`; the offset of its end."""
        close = self.text.find("*/", first + 2, end)
        stop = end if close < 0 else close + 2
        line_end = self.text.find("\n", stop)
        alone = not self.text[stop : line_end if line_end >= 0 else end].strip()
        lines = [line.strip(" \t*") for line in self.text[first + 2 : stop - 2].splitlines()]
        comment = "\n".join(f"# {line}" for line in lines if line)
        fix = Fix("start the comment with `#`", (Edit(Span(first, stop), comment),))
        self._report("TC0116", Span(first, first + 2), fix if alone and close >= 0 else None)
        return stop

    def _starts(self, before: int, first: int, kinds: list[int]) -> bool:
        """Whether a statement may start here: on an indented line, or in braces."""
        gap = self.text[before:first]
        if "\n" in gap:
            return not gap.endswith("\n")
        return bool(kinds) and kinds[-1] in (self.kinds["{"], self.kinds["}"])

    def _statement(
        self, word: str, first: int, end: int
    ) -> tuple[int, list[tuple[str, int, int]]] | None:
        """Report a statement of another language; where to read on, and the tokens that it
        stands for. None where it is none, or has no counterpart."""
        found = FOREIGN_STARTS[word].match(self.text, end)
        if found is None:
            return None
        whole = Span(first, found.end())
        if word in ("raise", "throw"):
            start, stop = found.span("text")
            meant = f"fail {found['text']}"
            tokens = [("fail", first, end), ("STRING", start, stop)]
        elif word == "pass":
            meant, tokens = "", []
        elif word in ("const", "del"):
            meant = "let" if word == "const" else "delete"
            whole, tokens = Span(first, end), [(meant, first, end)]
        else:
            start, stop = found.span("name")
            kind = {"string": "str", "boolean": "bool"}.get(word, word)
            meant = f"let {found['name']}: {kind} ="
            tokens = [
                ("let", first, first), ("NAME", start, stop), (":", stop, stop),
                ("NAME", first, end), ("=", whole.end - 1, whole.end),
            ]  # fmt: skip
        fix = Fix(f"write `{meant}`" if meant else "remove it", (Edit(whole, meant),))
        self._report("TC0126", Span(first, end), fix, found=word)
        return whole.end, tokens

    def _is_elif(self, end: int) -> bool:
        """Whether the word before the offset is Python's `elif` (and no variable of that name)."""
        if self.text[end : end + 80].lstrip().startswith((".", "[", "=", "+=", "-=", "*=")):
            return False
        span = Span(end - 4, end)
        self._report("TC0113", span, Fix("write `else if`", (Edit(span, "else if"),)))
        return True

    def _mend(self, group: str, span: Span) -> int | None:
        """Report text that is no token; the terminal that it stands for, or None to skip it."""
        word = self.text[span.start : span.end]
        if group == "foreign" and word in FOREIGN_WORDS:
            meant = FOREIGN_WORDS[word]
            self._report("TC0117", span, self._word_fix(span, meant), found=word, meant=meant)
            return self.kinds[meant]
        if group == "foreign":
            self._report("TC0119", span, Fix("remove it", (Edit(span, ""),)))
            return None
        if group in ("other", "comment"):
            shown = word if word.isprintable() else f"U+{ord(word):04X}"
            self._report("TC0109", span, found=shown)
            return self.kinds["NAME"] if word.isidentifier() else None
        if group == "malformed":
            self._report("TC0129", span, found=word)
            return self.kinds["NUMBER"]
        if group == "quoted":
            fix = None
            if '"' not in word:
                fix = Fix(
                    "use double quotes", (Edit(span, '"' + word[1:-1].replace("\\'", "'") + '"'),)
                )
            self._report("TC0108", span, fix)
        elif group == "template":
            inner = word[1:-1].replace("${", "{")
            fixed = None if '"' in inner else Fix("use double quotes", (Edit(span, f'"{inner}"'),))
            self._report("TC0108", span, fixed)
        elif group == "triple" and word.endswith('"""') and len(word) >= 6 and "\\" not in word:
            inner = word[3:-3].replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
            inner = inner.replace("\t", "\\t")
            self._report("TC0111", span, Fix("write one line", (Edit(span, f'"{inner}"'),)))
        else:
            self._report("TC0111" if group == "triple" else "TC0106", span)
        return self.kinds["STRING"]

    def _word_fix(self, span: Span, word: str) -> Fix:
        before = "" if self.text[span.start - 1 : span.start] in " \n(" else " "
        after = "" if self.text[span.end : span.end + 1] in " \n" else " "
        return Fix(f"write `{word}`", (Edit(span, before + word + after),))

    def _report(self, code: str, span: Span, fix: Fix | None = None, **values: Any) -> None:
        self.reporter.report(code, span, fix=fix, **values)
        if len(self.reporter.diagnostics) >= MAX_ERRORS:
            raise Stop
