"""What is written by habit from another language, and how toolc writes it.

A slip proposes, where a token does not fit, other tokens for a stretch of the declaration, and the
edits of the text that come to the same. `recovery` takes a proposal only where the parse then gets
past it, so a slip need only be plausible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from toolc.diagnostics.diagnostic import Applicability, Edit, Fix
from toolc.node import Span
from toolc.syntax import words
from toolc.syntax.lexer import Tokens

OPENING = frozenset("([{")
CLOSING = {")": "(", "]": "[", "}": "{"}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What an expression that ends in a conditional begins after.
LEFT_EDGES = _words(
    ": , = += -= *= return fail require then else answer reply user system expect by append"
    " insert step"
)
ORDERING = frozenset(["sorted", "min", "max"])
TEMPLATE = re.compile(r'"\{\d\}"|\{\d\}|\w+|->|[=!+-]=|\?\?|[^\w\s]')
# Terminals of which the tree keeps no text, and which may be inserted several at one place.
SILENT = _words("( ) [ ] { } , : -> if then else for in by desc fail")


class Token(NamedTuple):
    """A token to read: its terminal's spelling, its place, and its text where that is another."""

    spelling: str
    start: int
    end: int
    word: str | None = None


class Proposal(NamedTuple):
    """Tokens `first` up to `last` are read as `tokens` instead."""

    code: str
    span: Span
    fix: Fix | None
    first: int
    last: int
    tokens: tuple[Token, ...]
    help: tuple[str, ...] = ()
    found: str = ""
    meant: str = ""


class View:
    """The tokens of a declaration around the one that does not fit, token `i`."""

    def __init__(
        self,
        text: str,
        tokens: Tokens,
        terminals: Sequence[str],
        i: int,
        origin: int,
        accepted: set[str],
    ) -> None:
        self.text = text
        self.kinds, self.starts, self.ends, _, self.words = tokens
        self.terminals = terminals
        self.i = i
        self.origin = origin
        self.accepted = accepted

    def spelling(self, j: int) -> str:
        return self.terminals[self.kinds[j]] if 0 <= j < len(self.kinds) else ""

    def word(self, j: int) -> str:
        return self.text[self.starts[j] : self.ends[j]] if 0 <= j < len(self.kinds) else ""

    def is_(self, j: int, *pattern: str) -> bool:
        """Whether the tokens from j on are these: each a word, or a kind of terminal."""
        return all(
            part in (self.word(j + k), self.spelling(j + k)) for k, part in enumerate(pattern)
        )

    def keep(self, first: int, last: int) -> tuple[Token, ...]:
        """The tokens of a stretch as they are."""
        places = [(self.starts[j], self.ends[j]) for j in range(first, last)]
        return tuple(
            Token(self.spelling(j), *place, self.words.get(place))
            for j, place in zip(range(first, last), places, strict=True)
        )

    def source(self, first: int, last: int) -> str:
        return self.text[self.starts[first] : self.ends[last - 1]]

    def span(self, first: int, last: int) -> Span:
        return Span(self.starts[first], self.ends[last - 1])

    def new(self, word: str, at: int) -> Token:
        """A word that is inserted at an offset."""
        sort = {'"': "STRING"}.get(word[0], "NUMBER" if word[0].isdigit() else "NAME")
        spelling = word if word in self.terminals else sort
        return Token(spelling, at, at, word)

    def match(self, j: int, step: int) -> int:
        """From token j on, the first of bracket depth 0 that closes what is around it, -1 at an
        end of the declaration; `step` is the direction."""
        ups, downs = (OPENING, CLOSING) if step > 0 else (CLOSING, OPENING)
        depth = 0
        while self.origin <= j < len(self.kinds) - 1:
            spelling = self.spelling(j)
            if spelling in downs:
                if depth == 0:
                    return j
                depth -= 1
            elif spelling in ups:
                depth += 1
            j += step
        return -1

    def level(self, j: int, step: int) -> Iterator[int]:
        """The tokens from j on that stand in no bracket of their own, up to the one around."""
        ups, downs = (OPENING, CLOSING) if step > 0 else (CLOSING, OPENING)
        depth = 0
        while self.origin <= j < len(self.kinds) - 1:
            spelling = self.spelling(j)
            if spelling in downs and depth == 0:
                return
            depth -= spelling in downs
            if depth == 0:
                yield j
            depth += spelling in ups
            j += step

    def begin(self, j: int) -> int:
        """Where the expression begins that ends before token j."""
        first = j
        for k in self.level(j - 1, -1):
            if self.spelling(k) in LEFT_EDGES:
                break
            first = k
        return first

    def arguments(self, opening: int) -> list[tuple[int, int]] | None:
        """The stretches between the commas of a bracket; None where it is not closed."""
        end = self.match(opening + 1, 1)
        if end < 0:
            return None
        cuts = [k for k in self.level(opening + 1, 1) if self.spelling(k) == ","]
        bounds = [opening, *cuts, end]
        return [(a + 1, b) for a, b in pairwise(bounds) if b > a + 1]


Slip = Callable[[View], "Proposal | None"]


def proposals(view: View) -> Iterator[Proposal]:
    """What may have been meant, the likeliest first."""
    for slip in SLIPS:
        found = slip(view)
        if found is not None:
            yield found
    yield from _phrases(view, PHRASES)


def late_proposals(view: View) -> Iterator[Proposal]:
    """What may have been meant where no comma and no colon is missing."""
    yield from _phrases(view, LATE_PHRASES)
    found = _stray_sign(view)
    if found is not None:
        yield found


# ---------------------------------------------------------------- phrases


class Phrase(NamedTuple):
    """A sequence of words, and the one that toolc has for it: `{0}` is the first word found."""

    code: str
    pattern: tuple[str, ...]
    meant: str
    opener: str = ""
    applicability: Applicability = "safe"


def _phrase(code: str, pattern: str, meant: str, **more: str) -> Phrase:
    return Phrase(code, tuple(pattern.split()), meant, **more)  # type: ignore[arg-type]


PHRASES = (
    _phrase("TC0117", "is not", "!="),
    _phrase("TC0117", "is", "=="),
    _phrase("TC0117", "== =", "=="),
    _phrase("TC0117", "!= =", "!="),
    _phrase("TC0117", "< >", "!="),
    _phrase("TC0117", "+ +", "+= 1"),
    _phrase("TC0117", "- -", "-= 1"),
    _phrase("TC0117", "NAME / =", "{0} = {0} /"),
    _phrase("TC0117", ": =", "="),
    _phrase("TC0117", "= >", "->"),
    _phrase("TC0117", ") :", "{0} ->"),
    _phrase("TC0117", "let mut", "var"),
    _phrase("TC0117", "or fail", "else fail"),
    _phrase("TC0117", "?? fail", "else fail"),
    _phrase("TC0117", "where", "if"),
    _phrase("TC0117", "fails STRING", "fails with {1}"),
    _phrase("TC0117", "step NAME =", "step let {1} ="),
    _phrase("TC0117", "let NAME =", "step let {1} =", opener="scenario"),
    _phrase("TC0117", "? .", ".", applicability="unsafe"),
    _phrase("TC0117", "NAME ( NAME ) :", "{0}[{2}]:", opener="table"),
    _phrase("TC0117", "enum NAME =", "type {1} ="),
    _phrase("TC0135", "| null", "?"),
    _phrase("TC0135", "| None", "?"),
    _phrase("TC0133", "NAME = STRING", "{2}", opener="enum"),
    _phrase("TC0133", "NAME", '"{0}"', opener="enum"),
    _phrase("TC0133", "version NUMBER", 'version "{1}"'),
    _phrase("TC0133", "{ NUMBER :", '{{"{1}":'),
    _phrase("TC0133", ", NUMBER :", ', "{1}":'),
    _phrase("TC0133", "{ [ NUMBER ] :", '{{"{2}":'),
    _phrase("TC0133", "{ [ STRING ] :", "{{{2}:"),
    _phrase("TC0133", ", [ NUMBER ] :", ', "{2}":'),
    _phrase("TC0133", ", [ STRING ] :", ", {2}:"),
    _phrase("TC0138", "STRING = NUMBER", "= {2} {0}"),
    _phrase("TC0138", "STRING = STRING", "= {2} {0}"),
    _phrase("TC0138", "STRING = true", "= {2} {0}"),
    _phrase("TC0138", "STRING = false", "= {2} {0}"),
    _phrase("TC0138", "STRING = null", "= {2} {0}"),
)
LATE_PHRASES = (_phrase("TC0117", "=", "=="), _phrase("TC0117", "return", "return null"))


def _phrases(view: View, phrases: tuple[Phrase, ...]) -> Iterator[Proposal]:
    for phrase in phrases:
        if phrase.opener and view.word(view.origin) != phrase.opener:
            continue
        size = len(phrase.pattern)
        for first in range(max(view.origin, view.i - size), view.i + 1):
            if view.is_(first, *phrase.pattern):
                yield _phrased(view, phrase, first, first + size)
        if "[" in phrase.pattern:  # the label before the entry that does not fit
            first = view.match(view.i - 1, -1)
            if first >= 0 and view.is_(first, *phrase.pattern):
                yield _phrased(view, phrase, first, first + size)


def _phrased(view: View, phrase: Phrase, first: int, last: int) -> Proposal:
    whole = view.span(first, last)
    given = [view.word(j) for j in range(first, last)]
    meant = phrase.meant.format(*given)
    tokens: list[Token] = []
    for part in TEMPLATE.findall(phrase.meant.replace("{{", "{ ")):
        hole = re.search(r"\d", part) if "{" in part and part != "{" else None
        if hole is None:
            tokens.append(view.new(part, min(whole.start + len(tokens), whole.end)))
            continue
        (kept,) = view.keep(first + int(hole[0]), first + int(hole[0]) + 1)
        if part.startswith('"'):
            kept = kept._replace(spelling="STRING", word=f'"{given[int(hole[0])]}"')
        tokens.append(kept)
    fix = Fix(f"write `{meant}`", (Edit(whole, _spaced(view, whole, meant)),), phrase.applicability)
    found = view.text[whole.start : whole.end]
    return Proposal(
        phrase.code, whole, fix, first, last, tuple(tokens), found=found, meant=meant
    )  # fmt: skip


def _spaced(view: View, span: Span, text: str) -> str:
    """A replacement, kept apart from the words beside it."""
    before = text[0].isalnum() and view.text[span.start - 1 : span.start].isalnum()
    after = text[-1].isalnum() and view.text[span.end : span.end + 1].isalnum()
    return " " * before + text + " " * after


# ---------------------------------------------------------------- conditionals


def _python_conditional(view: View) -> Proposal | None:
    """`a if c else b`."""
    middle = view.i
    late = view.spelling(view.i - 1) == "else"
    if late or view.spelling(view.i) == "else":
        found = (k for k in view.level(view.i - 1 - late, -1) if view.spelling(k) == "if")
        middle = next(found, -1)
    if middle <= view.origin or view.spelling(middle) != "if":
        return None
    last = next((k for k in view.level(middle + 1, 1) if view.spelling(k) == "else"), -1)
    first = view.begin(middle)
    if last < 0 or first == middle or last == middle + 1:
        return None
    at = view.starts[first]
    tokens = (
        view.new("if", at), *view.keep(middle + 1, last),
        view.new("then", at), *view.keep(first, middle),
    )  # fmt: skip
    meant = f"if {view.source(middle + 1, last)} then {view.source(first, middle)}"
    fix = Fix("write `if … then … else …`", (Edit(view.span(first, last), meant),))
    return Proposal("TC0130", view.span(middle, middle + 1), fix, first, last, tokens)


def _c_conditional(view: View) -> Proposal | None:
    """`c ? a : b`."""
    found = (k for k in (view.i, view.i - 1, view.i - 2) if view.spelling(k) == "?")
    mark = next(found, -1)
    if mark <= view.origin:
        return None
    first = view.begin(mark)
    colon = next((k for k in view.level(mark + 1, 1) if view.spelling(k) == ":"), -1)
    if colon < 0 or first == mark:
        return None
    at = view.starts[first]
    tokens = (
        view.new("if", at), *view.keep(first, mark), view.new("then", view.starts[mark]),
        *view.keep(mark + 1, colon), view.new("else", view.starts[colon]),
    )  # fmt: skip
    condition, then = view.source(first, mark), view.source(mark + 1, colon)
    text = f"if {condition} then {then} else"
    edit = Edit(view.span(first, colon + 1), _spaced(view, view.span(first, colon + 1), text))
    fix = Fix("write `if … then … else …`", (edit,))
    return Proposal("TC0130", view.span(mark, mark + 1), fix, first, colon + 1, tokens)


# ---------------------------------------------------------------- functions as values


def _lambda(view: View) -> Proposal | None:
    """`sorted(xs, key=lambda x: x.price, reverse=True)`, `filter(lambda x: c, xs)`."""
    opening = view.match(view.i - 1, -1)
    while opening > view.origin:
        name = view.word(opening - 1)
        arguments = view.arguments(opening)
        if arguments is not None and name in ORDERING:
            return _ordering(view, name, opening, arguments)
        if arguments is not None and name in ("filter", "map") and len(arguments) == 2:
            return _mapping(view, name, opening, arguments)
        opening = view.match(opening - 1, -1)
    return None


def _ordering(
    view: View, name: str, opening: int, arguments: list[tuple[int, int]]
) -> Proposal | None:
    (first, last), *options = arguments
    binder, keys, descending, default = 0, list[tuple[int, int]](), False, (0, 0)
    for start, end in options:
        if view.is_(start, "key", "=", "lambda", "NAME", ":"):
            binder, keys = start + 3, [(start + 5, end)]
            if view.spelling(start + 5) == "(" and view.match(start + 6, 1) == end - 1:
                keys = view.arguments(start + 5) or keys
        elif view.is_(start, "reverse", "=") and name == "sorted" and end == start + 3:
            descending = view.word(start + 2) in ("True", "true")
        elif view.is_(start, "default", "=") and name != "sorted":
            default = (start + 2, end)
        else:
            return None
    if not options:
        return None
    close = view.match(opening + 1, 1)
    begin = opening - 1
    at = view.starts[begin]
    inner, text = view.keep(first, last), view.source(first, last)
    direction = " desc" if descending else ""
    if binder:
        bound = view.keep(binder, binder + 1)
        new = (*bound, view.new("for", at), *bound, view.new("in", at))
        by = [view.new("by", at)]
        for k, (start, end) in enumerate(keys):
            by += [view.new(",", at)] * (k > 0) + list(view.keep(start, end))
            by += [view.new("desc", at)] * descending
        inner = (*new, *inner, *by)
        shown = ", ".join(view.source(*key) + direction for key in keys)
        word = view.word(binder)
        text = f"{word} for {word} in {text} by {shown}"
    tokens = [*view.keep(begin, opening + 1), *inner, view.new(")", at)]
    text = f"{name}({text})"
    if descending and not binder:
        tokens = [view.new("reversed", at), view.new("(", at), *tokens, view.new(")", at)]
        text = f"reversed({text})"
    if default[1]:
        tokens += [view.new("??", at), *view.keep(*default)]
        text = f"{text} ?? {view.source(*default)}"
    return _rewritten(view, begin, close + 1, tokens, text)


def _mapping(
    view: View, name: str, opening: int, arguments: list[tuple[int, int]]
) -> Proposal | None:
    (start, end), (first, last) = arguments
    if not view.is_(start, "lambda", "NAME", ":"):
        return None
    binder, at = view.word(start + 1), view.starts[opening - 1]
    bound = view.keep(start + 1, start + 2)
    body, shown = view.keep(start + 3, end), view.source(start + 3, end)
    made = (body, shown) if name == "map" else (bound, binder)
    new = [view.new("for", at), *bound, view.new("in", at)]
    tokens = [view.new("[", at), *made[0], *new, *view.keep(first, last)]
    text = f"[{made[1]} for {binder} in {view.source(first, last)}"
    if name == "filter":
        tokens += [view.new("if", at), *body]
        text += f" if {shown}"
    begin, stop = opening - 1, view.match(opening + 1, 1) + 1
    if view.is_(begin - 2, "list", "(") and view.spelling(stop) == ")":
        begin, stop = begin - 2, stop + 1
    return _rewritten(view, begin, stop, [*tokens, view.new("]", at)], text + "]")


def _rewritten(view: View, first: int, last: int, tokens: list[Token], text: str) -> Proposal:
    span = view.span(first, last)
    fix = Fix(f"write `{text}`" if len(text) <= 80 else "rewrite it", (Edit(span, text),))
    return Proposal("TC0132", span, fix, first, last, tuple(tokens))


# ---------------------------------------------------------------- types


def _angle_brackets(view: View) -> Proposal | None:
    """`list<int>`."""
    if view.spelling(view.i) != "<" or "?" not in view.accepted:
        return None
    depth = 0
    for k in range(view.i, len(view.kinds) - 1):
        spelling = view.spelling(k)
        depth += (spelling == "<") - (spelling == ">")
        if depth == 0:
            break
        if spelling in ("=", "(", ";") or spelling in words.DECLARATIONS:
            return None
    else:
        return None
    left, right = view.span(view.i, view.i + 1), view.span(k, k + 1)
    tokens = []
    for token in view.keep(view.i, k + 1):
        other = {"<": "[", ">": "]"}.get(token.spelling)
        tokens.append(Token(other, token.start, token.end, other) if other else token)
    edits = tuple(
        Edit(Span(token.start, token.end), token.word or "")
        for token in tokens
        if token.word in ("[", "]")
    )
    fix = Fix("write brackets", edits)
    return Proposal("TC0136", left.to(right), fix, view.i, k + 1, tuple(tokens))


def _array(view: View) -> Proposal | None:
    """`int[]`."""
    i = view.i
    if not view.is_(i - 2, "NAME", "[", "]") or "ref" not in view.accepted:
        return None
    span, name = view.span(i - 2, i + 1), view.keep(i - 2, i - 1)
    opening = (view.new("list", span.start), view.new("[", span.start))
    meant = f"list[{view.word(i - 2)}]"
    fix = Fix(f"write `{meant}`", (Edit(span, meant),))
    tokens = (*opening, *name, view.new("]", span.end))
    return Proposal("TC0136", span, fix, i - 2, i + 1, tokens)


def _bare_union(view: View) -> Proposal | None:
    """`pending | done`, and `int | str`."""
    first = view.i - 1
    if view.spelling(view.i) != "|" or view.spelling(first) != "NAME":
        return None
    last = first + 1
    while view.spelling(last) == "|" and view.spelling(last + 1) in ("NAME", "STRING", "null"):
        last += 2
    if last == first + 3 and view.word(last - 1) in ("null", "None"):
        return None
    names = [j for j in range(first, last) if view.spelling(j) == "NAME"]
    known = {view.word(j + 1) for j in range(len(view.kinds)) if view.word(j) in words.TYPE_ITEMS}
    known |= {*words.SCALAR_TYPES, "None"}
    if any(view.word(j) in known or view.word(j)[0].isupper() for j in names):
        return Proposal(
            "TC0135", view.span(first, last), None, first, last, view.keep(first, first + 1),
            help=("`T?` is T or null; for values of several types there is `json`, or a `union`",),
        )  # fmt: skip
    quoted = {j: f'"{view.word(j)}"' for j in names}
    tokens = tuple(
        token._replace(spelling="STRING", word=quoted[j]) if j in quoted else token
        for j, token in zip(range(first, last), view.keep(first, last), strict=True)
    )
    edits = tuple(Edit(view.span(j, j + 1), text) for j, text in quoted.items())
    fix = Fix("quote the values", edits)
    found, meant = view.source(first, last), " | ".join(
        quoted.get(j, view.word(j)) for j in range(first, last, 2)
    )  # fmt: skip
    return Proposal("TC0133", view.span(first, last), fix, first, last, tokens, (), found, meant)


# ---------------------------------------------------------------- texts and places


def _prefix(view: View) -> Proposal | None:
    """`f"…"`."""
    i = view.i
    adjacent = view.starts[i] == view.ends[i - 1] if i else False
    if view.spelling(i) != "STRING" or not adjacent or view.word(i - 1) not in ("f", "F"):
        return None
    span = view.span(i - 1, i)
    fix = Fix("remove the prefix", (Edit(span, ""),))
    return Proposal("TC0131", span, fix, i - 1, i, (), found=view.word(i - 1))


def _docstring(view: View) -> Proposal | None:
    """A text that stands as a statement."""
    i = view.i
    if view.spelling(i) != "STRING" or view.spelling(i - 1) != "{" or "let" not in view.accepted:
        return None
    span = view.span(i, i + 1)
    comment = "# " + " ".join(view.word(i).strip("\"'").split())
    line_end = view.text.find("\n", span.end)
    rest = view.text[span.end : line_end if line_end >= 0 else None]
    edit = Edit(span, comment + ("\n" if rest.strip() else ""))
    return Proposal("TC0137", span, Fix("make it a comment", (edit,)), i, i + 1, ())


def _description(view: View) -> Proposal | None:
    """`tool f(a: int) "Does it." -> int`."""
    i = view.i
    if view.spelling(i) != "STRING" or view.spelling(i - 1) != ")":
        return None
    opening = view.match(i - 2, -1)
    if opening < 0 or view.spelling(opening - 1) != "NAME":
        return None
    text, gap = view.word(i), view.ends[opening - 1]
    fix = Fix(
        "move it before the parameters",
        (Edit(Span(gap, gap), f" {text} "), Edit(Span(view.ends[i - 1], view.ends[i]), "")),
    )
    tokens = (*view.keep(i, i + 1), *view.keep(opening, i))
    return Proposal("TC0138", view.span(i, i + 1), fix, opening, i + 1, tokens)


def _no_description(view: View) -> Proposal | None:
    """`environment shop`."""
    if view.word(view.origin) != "environment" or view.i != view.origin + 2:
        return None
    gap, name = view.ends[view.i - 1], view.word(view.i - 1)
    text = f'"{name.replace("_", " ").capitalize()}."'
    fix = Fix("describe it", (Edit(Span(gap, gap), f" {text}"),), "unsafe")
    here = view.span(view.i - 1, view.i)
    return Proposal("TC0134", here, fix, view.i, view.i, (view.new(text, gap),), found=name)


def _no_result(view: View) -> Proposal | None:
    """`proc f(a: int) {`."""
    i = view.i
    if view.spelling(i) != "{" or view.accepted != {"->"} or view.spelling(i - 1) != ")":
        return None
    end = view.match(i + 1, 1)
    gap = view.ends[i - 1]
    returns = any(view.spelling(k) == "return" for k in range(i, end if end > 0 else i))
    fix = Fix("say that it gives nothing", (Edit(Span(gap, gap), " -> null"),))
    tokens = (view.new("->", gap), view.new("null", gap))
    span = view.span(i - 1, i)
    return Proposal("TC0139", span, None if returns or end < 0 else fix, i, i, tokens)


def _loop(view: View) -> Proposal | None:
    """`for (const x of xs) {`, `for x of xs {`."""
    start = next((k for k in range(view.i, view.origin, -1) if view.spelling(k) == "for"), -1)
    if start < 0 or view.i - start > 4:
        return None
    wrapped = view.spelling(start + 1) == "("
    j = start + 1 + wrapped
    j += view.word(j) in ("let", "const", "var")
    while view.is_(j, "NAME", ","):
        j += 2
    if view.spelling(j) != "NAME" or view.word(j + 1) not in ("in", "of"):
        return None
    names = j
    while view.spelling(names - 1) == ",":
        names -= 2
    end = view.match(start + 2, 1) if wrapped else j + 2
    if end < 0 or (not wrapped and view.word(j + 1) == "in" and names == start + 1):
        return None
    tokens = [*view.keep(names, j + 1), view.new("in", view.starts[j + 1])]
    binders = view.source(names, j + 1)
    if not wrapped:
        edit = Edit(view.span(start + 1, j + 2), f"{binders} in")
        last = j + 2
    else:
        tokens += view.keep(j + 2, end)
        edit = Edit(view.span(start + 1, end + 1), f"{binders} in {view.source(j + 2, end)}")
        last = end + 1
    span = view.span(start, j + 2)
    meant = f"for {binders} in …"
    fix = Fix(f"write `{meant}`", (edit._replace(text=_spaced(view, edit.span, edit.text)),))
    return Proposal(
        "TC0117", span, fix, start + 1, last, tuple(tokens),
        found=view.text[span.start : span.end], meant=meant,
    )  # fmt: skip


def _condition(view: View) -> Proposal | None:
    """`require c, "message"`, `assert c, "message"`, and `assert c` in a test."""
    line = [
        k for k in view.level(view.i, -1)
        if view.word(k) in ("assert", "require") and view.i - k < 40
    ]  # fmt: skip
    if not line:
        return None
    start = line[0]
    word = view.word(start)
    comma = next((k for k in view.level(start + 1, 1) if view.spelling(k) == ","), -1)
    ended = "\n" in view.text[view.starts[start] : view.starts[comma]] if comma >= 0 else True
    head = view.span(start, start + 1)
    if word == "assert" and view.word(view.origin) == "test":
        fix = Fix("write `expect`", (Edit(head, "expect"),))
        tokens: tuple[Token, ...] = (view.new("expect", head.start),)
        return Proposal("TC0126", head, fix, start, start + 1, tokens, found=word)
    if ended:
        return None
    middle = view.span(comma, comma + 1)
    at = middle.start
    tokens = (
        view.new("require", head.start), *view.keep(start + 1, comma),
        view.new("else", at), view.new("fail", at),
    )  # fmt: skip
    edits = (Edit(middle, " else fail"),)
    if word == "assert":
        fix = Fix("write `require … else fail …`", (Edit(head, "require"), *edits))
        return Proposal("TC0126", head, fix, start, comma + 1, tokens, found=word)
    fix = Fix("write `else fail`", edits)
    return Proposal(
        "TC0117", middle, fix, start, comma + 1, tokens, found=",", meant="else fail"
    )  # fmt: skip


def _computed_key(view: View) -> Proposal | None:
    """`{x.id: x for x in xs}`."""
    i = view.i
    opening = view.match(i - 1, -1)
    if opening < 0 or view.spelling(opening) != "{":
        return None
    colon = next((k for k in view.level(opening + 1, 1) if view.spelling(k) in (":", ",")), -1)
    if colon < 0 or not any(view.spelling(k) == "for" for k in view.level(colon, 1)):
        return None
    span = view.span(opening + 1, colon)
    edits = (Edit(Span(span.start, span.start), "["), Edit(Span(span.end, span.end), "]"))
    tokens = (view.new("[", span.start), *view.keep(opening + 1, colon), view.new("]", span.end))
    fix = Fix("put it in brackets", edits)
    return Proposal("TC0141", span, fix, opening + 1, colon, tokens)


def _stray_sign(view: View) -> Proposal | None:
    """`user: "…"`, `record A = {…}`."""
    i = view.i
    word = view.word(i)
    named = i == view.origin + 2 and view.word(view.origin) in words.TYPE_ITEMS
    if word not in (":", "=") or not (named or view.spelling(i - 1).islower()):
        return None
    span = view.span(i, i + 1)
    fix = Fix("remove it", (Edit(span, ""),))
    return Proposal("TC0140", span, fix, i, i + 1, (), found=word)


SLIPS: tuple[Slip, ...] = (
    _prefix,
    _docstring,
    _description,
    _no_description,
    _no_result,
    _lambda,
    _python_conditional,
    _c_conditional,
    _loop,
    _condition,
    _computed_key,
    _angle_brackets,
    _array,
    _bare_union,
)
