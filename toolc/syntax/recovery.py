"""What to say and do where a token does not fit.

A known slip that explains the error is mended in the tokens, and the parse goes on. Otherwise the
error is reported and the rest of the declaration is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolc.diagnostics.diagnostic import Applicability, Edit, Fix, Note, Reporter
from toolc.node import Span
from toolc.syntax import slips, words
from toolc.syntax.automaton import Automaton
from toolc.syntax.lexer import MAX_ERRORS, Stop, Tokens

# How many tokens must fit after a mend, itself included.
LOOKAHEAD = 3
# How many tokens are read anew, over all mends that go back in a declaration.
MAX_REREAD = 100_000
MAX_QUOTED = 40
# What is surely no divisor.
PROSE = re.compile(r"[ \t]*[A-Za-z]+ [A-Za-z]+\b")
OPENING = frozenset("([{")
CLOSING = {")": "(", "]": "[", "}": "{"}


class Unreadable(Exception):
    """An interpolated expression that could not be mended; the reason has been reported."""


class Recovery:
    """Recovers from the errors of one text, at most `MAX_ERRORS` times."""

    def __init__(self, text: str, automaton: Automaton, reporter: Reporter) -> None:
        self.text = text
        self.automaton = automaton
        self.kinds = automaton.kinds
        self.reporter = reporter
        self.mends = 0
        self.reread = 0

    def recover(
        self,
        tokens: Tokens,
        i: int,
        origin: int,
        states: list[int],
        base: int,
        *,
        hole: bool,
    ) -> tuple[int, bool]:
        """Report that token i does not fit and mend that.

        Gives the token to go on from, and whether the declaration, which began at token `origin`
        and with the first `base` of the states, is dropped first.
        Raises Stop, and Unreadable for a hole that cannot be mended.
        """
        self.mends += 1
        if self.mends > MAX_ERRORS or len(self.reporter.diagnostics) >= MAX_ERRORS:
            raise Stop
        view = slips.View(
            self.text,
            tokens,
            self.automaton.terminals,
            i,
            origin,
            self.automaton.accepted(states),
        )
        if self._rewrite(tokens, i, states[:base], slips.proposals(view), view):
            return origin, True
        if self._mend(tokens, i, states):
            return i, False
        if self._mend_comment(tokens, i, origin):
            return origin, True
        if self._rewrite(tokens, i, states[:base], slips.late_proposals(view), view):
            return origin, True
        self._report_unexpected(tokens, i, origin, states)
        if hole:
            raise Unreadable
        complete = self.automaton.feed(states[:], self.automaton.end)
        start = i if complete else max(i, origin + 1)
        return self._next_declaration(tokens, start, origin), not complete

    # ------------------------------------------------------------ mending

    def _rewrite(
        self,
        tokens: Tokens,
        i: int,
        states: list[int],
        proposals: Iterator[slips.Proposal],
        view: slips.View,
    ) -> bool:
        """Put the first proposal in place with which the declaration is read past token i."""
        kinds, starts, ends, _, texts = tokens
        for found in proposals:
            new = [self.kinds[token.spelling] for token in found.tokens]
            end = max(found.last, i + 1) + 1
            whole = [*kinds[view.origin : found.first], *new, *kinds[found.last : end]]
            self.reread += len(whole)
            if self.reread > MAX_REREAD:
                return False
            if not self.automaton.takes(states, whole):
                continue
            kinds[found.first : found.last] = new
            starts[found.first : found.last] = [token.start for token in found.tokens]
            ends[found.first : found.last] = [token.end for token in found.tokens]
            for token in found.tokens:
                if token.word is not None and token.spelling not in slips.SILENT:
                    texts[token.start, token.end] = token.word
            self.reporter.report(
                found.code,
                found.span,
                fix=found.fix,
                help=found.help,
                found=found.found,
                meant=found.meant,
            )
            return True
        return False

    def _mend(self, tokens: Tokens, i: int, states: list[int]) -> bool:
        """Change the tokens at i so that the parse goes on, when a known slip explains it."""
        kinds, starts, ends, _, _ = tokens
        comma, colon, takes = self.kinds[","], self.kinds[":"], self.automaton.takes
        span = Span(starts[i], ends[i])
        word = self.text[span.start : span.end]
        following = kinds[i : i + LOOKAHEAD]
        if kinds[i] == comma and takes(states, following[1:]):
            self.reporter.report("TC0103", span, fix=Fix("remove the comma", (Edit(span, ""),)))
            del kinds[i], starts[i], ends[i]
            return True
        if kinds[i] == self.kinds["="] and takes(states, [colon, *following[1:]]):
            self.reporter.report("TC0112", span, fix=Fix("write `:`", (self._colon(span),)))
            kinds[i] = colon
            return True
        # `let int x = 5` lacks no comma.
        listed = i < 2 or self.automaton.terminals[kinds[i - 2]] not in ("let", "var", "for")
        if i and listed and takes(states, [comma, *following]):
            gap = ends[i - 1]
            fix = Fix("insert a comma", (Edit(Span(gap, gap), ","),))
            found = self._found(tokens, i)
            self.reporter.report("TC0102", Span(starts[i - 1], gap), fix=fix, found=found)
            kinds.insert(i, comma)
            starts.insert(i, gap)
            ends.insert(i, gap)
            return True
        meant = words.FOREIGN_KEYWORDS.get(word)
        if meant and takes(states, [self.kinds[meant], *following[1:]]):
            applicability: Applicability = "safe" if meant in words.RENAMED else "unsafe"
            fix = Fix(f"write `{meant}`", (Edit(span, meant),), applicability)
            self.reporter.report("TC0114", span, fix=fix, found=word, meant=meant)
            kinds[i] = self.kinds[meant]
            return True
        return False

    def _colon(self, span: Span) -> Edit:
        """`a = b` becomes `a: b`."""
        start = span.start
        while self.text[start - 1].isspace():
            start -= 1
        spaced = self.text[span.end : span.end + 1].isspace()
        return Edit(Span(start, span.end), ":" if spaced else ": ")

    def _mend_comment(self, tokens: Tokens, i: int, origin: int) -> bool:
        """Drop what follows a `//` on the line of token i, when that may be meant as a comment."""
        kinds, starts, ends, _, _ = tokens
        line_start = self.text.rfind("\n", 0, starts[i]) + 1
        first = i
        while first > origin and starts[first] > line_start and kinds[first] != self.kinds["//"]:
            first -= 1
        found = kinds[first] == self.kinds["//"] and starts[first] >= line_start
        self.reread += i - origin
        if not found or self.reread > MAX_REREAD:
            return False
        span = Span(starts[first], ends[first])
        prose = PROSE.match(self.text, span.end) is not None
        applicability: Applicability = "safe" if prose else "unsafe"
        fix = Fix("start the comment with `#`", (Edit(span, "#"),), applicability)
        self.reporter.report("TC0116", span, fix=fix)
        line_end = self.text.find("\n", span.start)
        last = first
        while kinds[last] != self.automaton.end and (line_end < 0 or starts[last] < line_end):
            last += 1
        del kinds[first:last], starts[first:last], ends[first:last]
        return True

    # ------------------------------------------------------------ reporting

    def _report_unexpected(self, tokens: Tokens, i: int, origin: int, states: list[int]) -> None:
        report = self.reporter.report
        span = Span(tokens.starts[i], tokens.ends[i])
        opened, mismatch = self._open_brackets(tokens, origin, i)
        opener = Span(tokens.starts[opened[-1]], tokens.ends[opened[-1]]) if opened else None
        bracket = self.text[opener.start : opener.end] if opener else ""
        notes: tuple[Note, ...] = ()
        if opener and (mismatch or bracket != "{"):
            notes = (Note(opener, f"this `{bracket}` is still open"),)
        found = self._found(tokens, i)
        foreign = self._foreign_statement(tokens, i)
        at_end = tokens.kinds[i] == self.automaton.end
        if foreign:
            word = self.text[foreign.start : foreign.end]
            report("TC0126", foreign, help=(words.FOREIGN_STATEMENTS[word],), found=word)
        elif self.text[span.start : span.end] == ":" and "{" in self.automaton.accepted(states):
            report("TC0142", span)
        elif opener and (at_end or self._starts_declaration(tokens, i, len(opened))):
            report("TC0118", opener, notes=(Note(span, f"{found} comes first"),), bracket=bracket)
        elif mismatch:
            report("TC0128", span, notes=notes, found=self.text[span.start : span.end])
        else:
            end = "the end of the file" if tokens.ends[-1] == len(self.text) else "`}`"
            expected = words.expected(self.automaton.accepted(states), end)
            report("TC0101", span, notes=notes, expected=expected, found=found)

    def _found(self, tokens: Tokens, i: int) -> str:
        if tokens.kinds[i] == self.automaton.end:
            return "the end of the file" if tokens.ends[i] == len(self.text) else "`}`"
        word = self.text[tokens.starts[i] : tokens.ends[i]]
        return f"`{word if len(word) <= MAX_QUOTED else word[:MAX_QUOTED] + '…'}`"

    def _open_brackets(self, tokens: Tokens, start: int, end: int) -> tuple[list[int], bool]:
        """The brackets open before token `end`, and whether that token closes none of them."""
        opened: list[int] = []
        for j in range(start, end + 1):
            bracket = self.automaton.terminals[tokens.kinds[j]]
            fits = bool(opened) and self.text[tokens.starts[opened[-1]]] == CLOSING.get(bracket)
            if j == end:
                return opened, bracket in CLOSING and not fits
            if bracket in OPENING:
                opened.append(j)
            elif fits:
                opened.pop()
        return opened, False

    def _foreign_statement(self, tokens: Tokens, i: int) -> Span | None:
        """The word that starts a statement of another language on the line of token i."""
        line_start = self.text.rfind("\n", 0, tokens.starts[i]) + 1
        # A declaration's keyword that is not indented starts a declaration.
        while i > 0 and tokens.starts[i] > line_start:
            span = Span(tokens.starts[i], tokens.ends[i])
            braced = self.automaton.terminals[tokens.kinds[i - 1]] in ("{", "}")
            if braced or tokens.ends[i - 1] <= line_start:
                word = self.text[span.start : span.end]
                return span if word in words.FOREIGN_STATEMENTS else None
            i -= 1
        return None

    # ------------------------------------------------------------ skipping

    def _starts_declaration(self, tokens: Tokens, i: int, depth: int) -> bool:
        """Whether token i is a declaration's keyword, first on its line, and likely one."""
        if self.automaton.terminals[tokens.kinds[i]] not in words.DECLARATIONS:
            return False
        before = self.text[tokens.ends[i - 1] if i else 0 : tokens.starts[i]]
        first = "\n" in before and (depth == 0 or before.endswith("\n"))
        following = tokens.kinds[i + 1]
        named = following in (self.automaton.name, self.kinds["STRING"])
        return first and (named or self.automaton.is_keyword[following])

    def _next_declaration(self, tokens: Tokens, i: int, origin: int) -> int:
        """The first token from i on that starts a declaration, or the end."""
        depth = len(self._open_brackets(tokens, origin, i)[0])
        while tokens.kinds[i] != self.automaton.end:
            if self._starts_declaration(tokens, i, depth):
                break
            spelling = self.automaton.terminals[tokens.kinds[i]]
            depth = max(0, depth + (spelling in OPENING) - (spelling in CLOSING))
            i += 1
        return i
