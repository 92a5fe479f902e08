"""Constrained decoding in this process: a model writes what the grammar allows, and is brought to
an end where its tokens run out.

llguidance says which tokens the grammar allows. Its lexer knows what may come next, and so takes
apart what the parser reads as one token (`elsefail`, `1if`), and lets white space and comments
stand in the holes of strings as elsewhere. `Boundaries` bars the tokens that begin with such a
character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from toolc.models.local import Failed, LocalError
from toolc.syntax.export import decoder_grammar, keywords

if TYPE_CHECKING:
    import numpy as np
    from llguidance import LLMatcher

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

WORD = re.compile(rb"(?<![A-Za-z0-9_])[A-Za-z_][A-Za-z0-9_]*\Z")
NUMBER = rb"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
NUMBER_BEGUN = re.compile(rb"(?<![A-Za-z0-9_.])([0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?)\Z")
NUMBER_GOES_ON = re.compile(rb"[0-9](?:_?[0-9])*(?:_|\.[0-9]*)?(?:(?<=[0-9])[eE](?:[+-]?[0-9]*))?")
LEADING = re.compile(rb"[A-Za-z0-9_.]*")
LINE_START = re.compile(rb"\n[ \t\r\n]*(/?)\Z")
TAIL = 200
"""Bytes before the end in which the last token is looked for."""

# What ends a text, each taken where it fits and none before it does: quotes and braces are closed,
# statements get what they cannot do without, and then what they begin with.
CONNECTING = ("into", "to", "from", "by", "then", "case", "effects", "fail", "else", "for", "in")
CLOSING = (
    *(b'"', b"'", b"}", b")", b"]", b"{", b":", b"->", b" x"),
    *(f" {word}".encode() for word in CONNECTING),
    *(b" =", b" 0", b" 1", b"(", b"[", b",", b"=", b">", b".", b"?", b"0", b"u0041"),
)
# Words that llguidance may also take for a shorter one and a name: what can then come next.
APART = {
    **dict.fromkeys((b"into", b"insert", b"invariant", b"order", b"fails"), (b" ==",)),
    **dict.fromkeys((b"tool", b"tools"), (b" (", b" .")),
    **{b"steps": (b" (",), b"constraint": (b" =",), b"user": (b" {a}",)},
}
CHARACTER = (b"\x80", b"\xa0", b"\x90")
"""With which a character of several bytes goes on."""
MAX_CLOSING = 2_000
"""Steps in which a text comes to its end."""


class Grammar:
    """The grammar of toolc over the tokens of one tokenizer. LocalError where it cannot be."""

    def __init__(self, tokenizer: Any, ends: Sequence[int]) -> None:
        try:
            import numpy as np
            from llguidance import LLMatcher, LLTokenizer
            from llguidance.hf import from_tokenizer
        except ImportError as error:
            raise LocalError(
                f"constrained decoding needs llguidance, `pip install toolc[train]` ({error})"
            ) from None
        try:
            self.tokens = from_tokenizer(tokenizer, eos_token=list(ends))
        except Exception as error:  # whatever a library finds wrong with a tokenizer
            raise LocalError(f"the tokenizer cannot be constrained: {error}") from None
        self.bytes = LLTokenizer("byte")
        self.grammar = LLMatcher.grammar_from_lark(decoder_grammar())
        texts = [self.tokens.decode_bytes([id]) for id in range(self.tokens.vocab_size)]
        self.texts = texts
        self.leading: dict[tuple[bytes, bool], list[int]] = {}
        for id, text in enumerate(texts):
            word = LEADING.match(text)
            if word and word[0]:
                self.leading.setdefault((word[0], word.end() == len(text)), []).append(id)

        def flags(chosen: Iterable[bool]) -> Flags:
            return np.fromiter(chosen, np.bool_, len(texts))

        self.wordy = flags(LEADING.match(text)[0] != b"" for text in texts)  # type: ignore[index]
        self.broken = flags(b"\n" in text or b"\r" in text for text in texts)
        self.slashed = flags(text.startswith(b"//") for text in texts)
        self.starts = {c: flags(text[:1] == c for text in texts) for c in (b"#", b"?", b'"', b"/")}

    def writer(self, prompt_tokens: int) -> Writer:
        """What constrains one text after a prompt of so many tokens."""
        return Writer(self, prompt_tokens)


class Writer:
    """One text under way, as a logits processor of transformers."""

    def __init__(self, grammar: Grammar, start: int) -> None:
        from llguidance import LLMatcher

        self._grammar = grammar
        self._start = start
        self._taken = 0
        self._matcher = LLMatcher(grammar.tokens, grammar.grammar)
        self._boundaries = Boundaries(grammar)

    def __call__(self, ids: Any, scores: Any) -> Any:
        import torch

        self.take(ids[0, self._start + self._taken :].tolist())
        allowed = torch.from_numpy(self.allowed()).to(scores.device)
        barred = torch.ones_like(scores, dtype=torch.bool)
        barred[0, : len(allowed)] = ~allowed[: scores.shape[1]]
        return scores.masked_fill(barred, float("-inf"))

    def take(self, tokens: Sequence[int]) -> None:
        """Goes on with what was written."""
        self._taken += len(tokens)
        for token in tokens:
            self._matcher.consume_token(token)
            self._boundaries.take(self._grammar.texts[token])

    def allowed(self) -> Flags:
        """Which tokens may come next. Raises `Failed` where none may."""
        import numpy as np

        mask = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        bits = np.unpackbits(mask, bitorder="little")[: len(self._grammar.texts)]
        allowed: Flags = bits.astype(np.bool_) & ~self._boundaries.barred()
        if not allowed.any():
            raise Failed("the grammar allows no token of the model's here")
        return allowed

    def whole(self, tokens: Sequence[int]) -> str:
        self.take(tokens[self._taken :])
        return self._boundaries.ended()


class Boundaries:
    """What was written, byte by byte, and what cannot come next for where its last token ends."""

    def __init__(self, grammar: Grammar) -> None:
        from llguidance import LLMatcher

        self._grammar = grammar
        self._matcher: LLMatcher = LLMatcher(grammar.bytes, grammar.grammar)
        self._tail = b""
        self._within = ""  # `"` in quotes, `#` in a comment
        self._escaped = False
        self._empty = False  # whether it ends with a string that is empty
        self._written = bytearray()

    def take(self, text: bytes) -> None:
        self._matcher.try_consume_tokens(self._grammar.bytes.tokenize_bytes(text))
        self._written += text
        self._tail = (self._tail + text)[-TAIL:]
        for byte in text.decode("latin-1"):
            self._step(byte)

    def _step(self, char: str) -> None:
        opened = self._within == '"' and self._empty and not self._escaped
        self._empty = False
        if self._within == "#":
            self._within = "" if char == "\n" else "#"
        elif self._within == '"':
            if self._escaped:
                self._escaped = False
            elif char == "\\":
                self._escaped = True
            elif char == '"':
                self._within = ""
                self._empty = opened
        elif char in '"#':
            self._within = char
            self._empty = char == '"'

    # ------------------------------------------------------------ what cannot come next

    def barred(self) -> Flags:
        """The tokens that the parser would not read as the grammar does."""
        import numpy as np

        grammar = self._grammar
        barred: Flags = np.zeros(len(grammar.texts), np.bool_)
        if self._within == "#":
            return barred
        if self._within == '"':
            if self._fits(b"\n"):  # in a hole, between two tokens
                barred |= grammar.starts[b"#"]
            barred |= grammar.broken
        elif self._empty:
            barred |= grammar.starts[b'"']
        if self._tail.endswith(b"?") and self._fits(b" ") and not self._fits(b"~"):
            barred |= grammar.starts[b"?"]
        if not self._within and (line := LINE_START.search(self._tail)):
            barred |= grammar.starts[b"/"] if line[1] else grammar.slashed
        if self._tail and LEADING.match(self._tail[-1:])[0]:  # type: ignore[index]
            barred |= self._joined()
        return barred

    def _joined(self) -> Flags:
        """The tokens that would join the last word or number to what cannot be one."""
        import numpy as np

        grammar = self._grammar
        none: Flags = np.zeros(len(grammar.texts), np.bool_)
        number, word = NUMBER_BEGUN.search(self._tail), WORD.search(self._tail)
        run = number[1] if number else word[0] if word else b""
        if not run or len(run) == TAIL or self._tail[: -len(run)].endswith(b"\\"):
            return none
        before = self._matcher.deep_copy()
        before.rollback(len(run))
        if self._fits(b"~~", before) or (word and self._fits(b"zq", before)):
            return none  # among text, or in a name
        barred: Flags = grammar.wordy.copy()
        for leading, whole in self._continuations(run, bool(number), before):
            barred[grammar.leading[leading, whole]] = False
        return barred

    def _continuations(
        self, run: bytes, number: bool, before: LLMatcher
    ) -> Iterable[tuple[bytes, bool]]:
        """How tokens may begin that go on with a word or number: with which word characters, and
        whether that is all of the token."""
        leading = self._grammar.leading
        if number:
            if not self._fits(b"2", before):  # it is the `1` that every text begins with
                return
            for key in leading:
                joined = run + key[0]
                if re.fullmatch(NUMBER, joined) or (key[1] and NUMBER_GOES_ON.fullmatch(joined)):
                    yield key
            return
        for known in _words():
            if known.startswith(run) and self._is_word(known, before):
                rest = known[len(run) :]
                if (rest, False) in leading:
                    yield rest, False
                for end in range(1, len(rest) + 1):
                    if (rest[:end], True) in leading:
                        yield rest[:end], True

    def _is_word(self, text: bytes, matcher: LLMatcher | None = None) -> bool:
        """Whether a word of the language may stand here, with blanks before it or without."""
        parts = APART.get(text.strip(), ())
        return self._fits(text, matcher) and not any(
            self._fits(text + part, matcher) for part in parts
        )

    def _fits(self, text: bytes, matcher: LLMatcher | None = None) -> bool:
        tokens = self._grammar.bytes.tokenize_bytes(text)
        return (matcher or self._matcher).validate_tokens(tokens) == len(tokens)

    # ------------------------------------------------------------ ending

    def ended(self) -> str:
        """What was written, brought to an end. Raises `Failed`."""
        for _ in range(MAX_CLOSING):
            if self._matcher.is_accepting():
                return self._written.decode("utf-8", "replace")
            self.take(self._next())
        raise Failed("what the model wrote has no end that is near")

    def _next(self) -> bytes:
        """A text with which the end comes nearer."""
        if self._within == "#":
            texts: Iterable[bytes] = (b"\n", *CHARACTER)
        else:
            texts = (*CLOSING, *self._endings(), *CHARACTER)
        for text in texts:
            again = text == b'"' and self._empty and not self._within
            if self._is_word(text) and not again:
                return text
        raise Failed("what the model wrote has no end")

    def _endings(self) -> Iterable[bytes]:
        """What makes a word of the language of the last few letters."""
        word = WORD.search(self._tail)
        if not word:
            return
        before = self._matcher.deep_copy()
        before.rollback(len(word[0]))
        for known in _by_use():
            if known.startswith(word[0]) and known != word[0] and self._is_word(known, before):
                yield known[len(word[0]) :]


@lru_cache(maxsize=1)
def _words() -> tuple[bytes, ...]:
    return tuple(word.encode() for word in keywords())


@lru_cache(maxsize=1)
def _by_use() -> tuple[bytes, ...]:
    """The words, those that connect before all others."""
    return tuple(dict.fromkeys((*(word.encode() for word in CONNECTING), *_words())))
