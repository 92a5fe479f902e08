"""The LALR automaton: Lark's tables, and which words are keywords.

A word is read as a keyword where the grammar takes one at that very point, else as a name. Lark's
contextual lexer asks the same of the state alone, and so takes more words for keywords, because
LALR merges states; here the stack is consulted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from toolc.syntax import tables, words

LABEL_FOLLOWS = re.compile(r"[ \t\r\n]*([?:])(?:(?<=:)|[ \t\r\n]*:)")
WORD_FOLLOWS = re.compile(r"[ \t]+[A-Za-z_\"]")


@cache
def automaton() -> Automaton:
    """The automaton of the shipped tables."""
    return Automaton(tables.load())


class Automaton:
    """Moves stacks of states over terminals. It holds nothing of any text, only memos."""

    def __init__(self, loaded: tables.Tables) -> None:
        self.terminals = loaded.terminals
        self.reductions = loaded.reductions
        self.actions = loaded.actions
        self.gotos = loaded.gotos
        self.starts = loaded.starts
        self.goals = loaded.ends
        self.kinds = {spelling: kind for kind, spelling in enumerate(loaded.terminals)}
        self.is_keyword = [spelling.islower() for spelling in loaded.terminals]
        self.name = self.kinds["NAME"]
        self.end = self.kinds["$END"]
        self.ends = frozenset(loaded.ends.values())
        tool = self.kinds["tool"]
        # The states in which a declaration may start.
        self.tops = {i for i, row in enumerate(loaded.actions) if row.get(tool, -1) >= 0}
        self.chains: dict[tuple[int, int, int], int] = {}

    def feed(self, states: list[int], kind: int) -> bool:
        """Move a stack over one terminal; False, the stack spoilt, where it does not fit."""
        while (action := self.actions[states[-1]].get(kind)) is not None:
            if action >= 0:
                states.append(action)
                return True
            reduction = self.reductions[~action]
            if reduction.size:
                del states[-reduction.size :]
            states.append(self.gotos[states[-1]][reduction.symbol])
            if kind == self.end and states[-1] in self.ends:
                return True
        return False

    def takes(self, states: list[int], kinds: Iterable[int]) -> bool:
        """Whether the stack takes the terminals, keywords read as names where need be."""
        trial = states[:]
        for kind in kinds:
            before = trial[:]
            if self.feed(trial, kind):
                if kind == self.end:
                    return True
                continue
            trial = before
            if not (self.is_keyword[kind] and self.feed(trial, self.name)):
                return False
        return True

    def accepted(self, states: list[int]) -> set[str]:
        """The spellings of the terminals that fit."""
        row = self.actions[states[-1]]
        return {self.terminals[kind] for kind in row if self.feed(states[:], kind)}

    def chain(self, below: int, rule: int, kind: int) -> int:
        """The state after a unit reduction and those that follow it with the same lookahead."""
        key = (below, rule, kind)
        while True:
            state = self.gotos[below][self.reductions[rule].symbol]
            rule = ~self.actions[state].get(kind, 0)
            if rule < 0 or self.reductions[rule].size != 1 or self.reductions[rule].action:
                self.chains[key] = state
                return state

    def resolve(self, states: list[int], kind: int, text: str, end: int) -> int:
        """What a keyword that ends at an offset is: its own terminal or NAME."""
        row = self.actions[states[-1]]
        action = row.get(kind)
        if self.name not in row:
            return kind
        if action is None and self.terminals[kind] not in words.GUARDED:
            return self.name
        trial = states[:]
        if not self.feed(trial, self.name):
            return kind
        if self._is_label(trial[-1], text, end):
            return self.name
        if action is not None and (action >= 0 or self.feed(states[:], kind)):
            return kind
        return kind if self._is_reserved(trial[-1], kind, text, end) else self.name

    def _is_label(self, state: int, text: str, end: int) -> bool:
        """Whether a word is a label, by the `:` that follows it; `state` is that after a name."""
        following = LABEL_FOLLOWS.match(text, end)
        if not following:
            return False
        action = self.actions[state].get(self.kinds[following[1]], 0)
        return action < 0 and self.reductions[~action].action in ("label", "name")

    def _is_reserved(self, state: int, kind: int, text: str, end: int) -> bool:
        """Whether a word cannot be the name of the value or place that would stand here."""
        spelling = self.terminals[kind]
        row = self.actions[state].values()
        uses = {self.reductions[~action].action for action in row if action < 0}
        if "target" in uses and spelling in words.DECLARATIONS:
            return WORD_FOLLOWS.match(text, end) is not None
        return ("target" in uses and spelling in words.NO_PLACE) or (
            "ref" in uses and spelling in words.NO_VALUE
        )
