"""From text to tree: an LALR driver over Lark's tables that builds as it reads.

After an error the declaration is read again with care: no reduction is made before the next token
is known to fit. What is on the stack is then what the author wrote, so expectations are exact and
a mended token is fed where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple, NoReturn

from toolc.diagnostics.diagnostic import Diagnostic, Edit, Fix, Reporter
from toolc.node import Span
from toolc.syntax.automaton import automaton
from toolc.syntax.builder import Builder
from toolc.syntax.lexer import Lexer, Stop, Tokens
from toolc.syntax.recovery import Recovery, Unreadable
from toolc.syntax.tree import Expr, Module

MAX_TEXT = 1 << 20
# How high a tree may be, so that a recursive pass is safe. So many branches count as one level,
# since in Python each `elif` nests in the one before.
MAX_HEIGHT = 150
MAX_HOLE_HEIGHT = 40
BRANCHES = 3
BRANCHING = ("if_", "match")
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class Parsed(NamedTuple):
    """`module` is what could be read, None when nothing could."""

    module: Module | None
    diagnostics: tuple[Diagnostic, ...]


def parse(text: str, path: str) -> Parsed:
    """Read one file. Never raises; time is linear in the text but for a bounded number of mends."""
    reporter = Reporter(path)
    module = None
    with suppress(Stop):
        module = _Parser(text, reporter).module()
    found = sorted(reporter.diagnostics, key=lambda diagnostic: diagnostic.span)
    return Parsed(module, tuple(found))


class _Parser:
    def __init__(self, text: str, reporter: Reporter) -> None:
        self.text = text
        self.reporter = reporter
        self.automaton = automaton()
        self.kinds = self.automaton.kinds
        self.lexer = Lexer(text, self.kinds, reporter)
        self.recovery = Recovery(text, self.automaton, reporter)
        self.builder = Builder(reporter, self.hole)

    def module(self) -> Module:
        """Raises Stop."""
        if len(self.text) > MAX_TEXT:
            self._stop("TC0120", Span(MAX_TEXT, MAX_TEXT + 1))
        if broken := NOT_TEXT.search(self.text):
            self._stop("TC0122", Span(*broken.span()))
        tokens = self.lexer.tokens(0, len(self.text))
        self._check_header(tokens)
        module: Module = self._run(tokens, "start", MAX_HEIGHT)
        whole = Span(0, len(self.text))
        return Module(whole, module.version, module.items, tuple(tokens.comments))

    def hole(self, start: int, end: int) -> Expr | None:
        """The interpolated expression between two offsets, None where it is broken."""
        tokens = self.lexer.tokens(start, end, hole=True)
        try:
            value: Expr = self._run(tokens, "expr", MAX_HOLE_HEIGHT)
        except Unreadable:
            return None
        return value

    def _check_header(self, tokens: Tokens) -> None:
        """Put `toolc 1` where it is missing."""
        header = [self.kinds["toolc"], self.kinds["NUMBER"]]
        if tokens.kinds[:2] == header:
            return
        said = tokens.kinds[0] == header[0]
        at = tokens.ends[0] if said else 0
        edit = Edit(Span(at, at), " 1" if said else "toolc 1\n")
        fix = Fix("state the language version", (edit,))
        self.reporter.report("TC0104", Span(tokens.starts[0], tokens.ends[0]), fix=fix)
        tokens.kinds[:said] = header
        tokens.starts[:said] = [at, at]
        tokens.ends[:said] = [at, at]

    def _run(self, tokens: Tokens, goal: str, limit: int) -> Any:
        """The value of the goal. Raises Stop, and Unreadable for a hole."""
        text, kinds, begins, finishes = self.text, tokens.kinds, tokens.starts, tokens.ends
        machine, rules, builder = self.automaton, _rules(), self.builder
        mended = tokens.words
        actions, gotos, chains = machine.actions, machine.gotos, machine.chains
        goal_state = machine.goals[goal]
        # One stack, a column each: states are one more than the rest.
        states = [machine.starts[goal]]
        values: list[Any] = []
        starts: list[int] = []
        ends: list[int] = []
        heights: list[int] = []
        # Where the declaration that is being read starts: its first token, and the stack below it.
        origin, base = 0, 1
        careful = False
        i = 0
        while True:
            kind = kinds[i]
            if machine.is_keyword[kind]:
                kind = machine.resolve(states, kind, text, finishes[i])
            fits = not careful or machine.feed(states[:], kind)
            while fits and (action := actions[states[-1]].get(kind)) is not None:
                if action >= 0:
                    break
                symbol, size, kept, splices, name, function = rules[~action]
                if size == 1 and not name:
                    below = states[-2]
                    state = chains.get((below, ~action, kind))
                    states[-1] = machine.chain(below, ~action, kind) if state is None else state
                else:
                    children = values[-size:] if size else []
                    begin, end = (starts[-size], ends[-1]) if size else (begins[i], begins[i])
                    height = max(heights[-size:]) if size else 0
                    if splices:
                        arguments = _spliced(children, kept, name == "*")
                    else:
                        arguments = [None if k is None else children[k] for k in kept]
                    if function is not None:
                        height += 1
                        if splices and name in BRANCHING:
                            height += len(arguments) // BRANCHES
                        if height > limit:
                            self._stop("TC0121", Span(begin, end))
                        value = function(builder, Span(begin, end), *arguments)
                    else:
                        value = arguments if name else arguments[0]
                    if size:
                        del states[-size:], values[-size:], starts[-size:], ends[-size:]
                        del heights[-size:]
                    states.append(gotos[states[-1]][symbol])
                    values.append(value)
                    starts.append(begin)
                    ends.append(end)
                    heights.append(height)
                if states[-1] == goal_state and kind == machine.end:
                    return values[-1]
            if fits and action is not None:
                if i != origin and states[-1] in machine.tops:
                    origin, base, careful = i, len(states), False
                states.append(action)
                word = mended.get((begins[i], finishes[i])) if mended else None
                values.append(text[begins[i] : finishes[i]] if word is None else word)
                starts.append(begins[i])
                ends.append(finishes[i])
                heights.append(0)
                i += 1
                continue
            if careful:
                hole = goal != "start"
                i, drop = self.recovery.recover(tokens, i, origin, states, base, hole=hole)
            else:
                i, drop, careful = origin, True, True
            if drop:
                del states[base:], values[base - 1 :], starts[base - 1 :], ends[base - 1 :]
                del heights[base - 1 :]

    def _stop(self, code: str, span: Span) -> NoReturn:
        self.reporter.report(code, span)
        raise Stop


_Rule = tuple[int, int, tuple[int | None, ...], bool, str, Callable[..., Any] | None]


@cache
def _rules() -> list[_Rule]:
    """Of each reduction the symbol, the size, which children are kept, whether lists of them are
    opened, the action's name, and what builds its node."""
    return [
        (
            reduction.symbol,
            reduction.size,
            reduction.kept,
            any(place is not None and place < 0 for place in reduction.kept),
            reduction.action,
            _method(reduction.action),
        )
        for reduction in automaton().reductions
    ]


def _method(action: str) -> Callable[..., Any] | None:
    """The builder's method for an action; None where no node is made."""
    if action in ("", "*"):
        return None
    method: Callable[..., Any] = getattr(Builder, action, None) or getattr(Builder, action + "_")
    return method


def _spliced(children: list[Any], kept: tuple[int | None, ...], collects: bool) -> list[Any]:
    """The kept children, lists of repetitions opened; a repetition itself grows in place."""
    first = kept[0]
    grows = collects and first is not None and first < 0
    arguments: list[Any] = children[~first] if grows and first is not None else []
    for place in kept[grows:]:
        if place is None:
            arguments.append(None)
        elif place < 0:
            arguments.extend(children[~place])
        else:
            arguments.append(children[place])
    return arguments
