"""Transformations of what models read of a tool: its name, its words, its parameters' names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from random import Random

from toolc.generate import trees
from toolc.importing.names import unique, words
from toolc.importing.spec import described, label
from toolc.rewriting.calls import Arguments, Rewrite, bound, rewritten, substituted
from toolc.rewriting.spec import Spec, nodes
from toolc.scaling.parameters import put
from toolc.scaling.transformation import NotHere, body_of, require
from toolc.syntax import tree

VERBS: Mapping[str, tuple[str, ...]] = {
    "get": ("fetch", "retrieve", "look_up"),
    "find": ("search_for", "locate", "discover"),
    "search": ("look_for", "scan"),
    "list": ("enumerate", "show_all", "browse"),
    "show": ("display", "present"),
    "set": ("assign", "put"),
    "change": ("alter", "revise"),
    "modify": ("alter", "revise"),
    "update": ("refresh", "revise"),
    "create": ("make", "establish"),
    "make": ("create", "produce"),
    "add": ("attach", "include"),
    "delete": ("erase", "discard"),
    "remove": ("take_away", "strip"),
    "cancel": ("call_off", "revoke"),
    "book": ("reserve", "secure"),
    "move": ("shift", "relocate"),
    "send": ("dispatch", "deliver"),
    "read": ("inspect", "view"),
    "write": ("record", "put_down"),
    "count": ("tally", "number_of"),
    "measure": ("gauge", "determine"),
    "compare": ("contrast", "set_side_by_side"),
    "convert": ("translate", "express"),
    "check": ("verify", "examine"),
    "plan": ("arrange", "lay_out"),
    "replace": ("exchange", "swap"),
    "open": ("start", "begin"),
    "close": ("end", "shut"),
}
"""What else a tool could be called, by the verb that its name begins with."""

PHRASES: Mapping[str, str] = {
    "Look up": "Gives, from the records,",
    "List": "Gives a list of",
    "Find": "Searches for",
    "Show": "Gives a view of",
    "Change": "Puts a new value to",
    "Get": "Gives",
    "Tell": "Reports",
    "Measure": "Determines",
    "Count": "Gives the number of",
    "Read": "Gives the content of",
    "Cancel": "Calls off",
    "Search": "Looks through",
    "Convert": "Expresses",
    "Retrieve": "Gives",
    "Create": "Sets up",
    "Add": "Includes",
    "Delete": "Takes away for good",
    "Compare": "Puts side by side",
    "Replace": "Exchanges",
    "Modify": "Alters",
    "Put": "Places",
    "Make": "Produces",
    "Set": "Fixes",
    "Move": "Shifts",
    "Book": "Reserves",
    "Open": "Starts",
    "Save": "Keeps",
    "Check": "Verifies",
    "Write": "Records",
    "Send": "Dispatches",
}
"""Other beginnings of descriptions."""

NOUNS: Mapping[str, tuple[str, ...]] = {
    "id": ("identifier", "reference"),
    "name": ("label", "title"),
    "date": ("calendar_day", "on_date"),
    "from": ("start", "origin"),
    "to": ("target", "destination"),
    "path": ("location", "file_path"),
    "limit": ("at_most", "maximum_count"),
    "since": ("starting_on", "first_day"),
    "until": ("ending_on", "last_day"),
    "amount": ("sum_of_money", "value"),
    "city": ("town", "place"),
    "country": ("nation", "state_name"),
    "text": ("phrase", "wording"),
    "reason": ("motive", "grounds"),
    "status": ("state_wanted", "condition"),
    "order": ("purchase", "order_record"),
    "user": ("person", "account_holder"),
    "customer": ("client", "patron"),
    "username": ("login_name", "account_name"),
    "kind": ("sort", "category"),
    "by": ("according_to", "criterion"),
    "unit": ("measured_in", "scale"),
    "symbol": ("ticker", "code"),
    "message": ("note", "content"),
    "device": ("appliance", "gadget"),
    "person": ("who", "individual"),
    "query": ("search_words", "sought"),
    "place": ("spot", "locality"),
}
"""What else a parameter could be called, by a word of its name."""


def rename_tools(spec: Spec, name: str, random: Random) -> Spec:
    """Another verb in the tool's name."""
    tool = spec.tools[name]
    verb, *rest = name.split("_")
    require(verb in VERBS, f"`{verb}` has no other word here")
    require(not _is_told(spec, name), "a text names it")
    chosen = unique("_".join((random.choice(VERBS[verb]), *rest)), spec.names)
    spec = rewritten(spec, {name: Rewrite(chosen)})
    return spec.replaced(lambda item: item.replace(name=label(chosen)) if item is tool else item)


def _is_told(spec: Spec, name: str) -> bool:
    """Whether a text that models may read mentions the name."""
    mention = re.compile(rf"\b{re.escape(name)}\b")
    return any(mention.search(_texts_in(item)) for item in spec.items)


@lru_cache(maxsize=20_000)
def _texts_in(item: tree.Item) -> str:
    found: list[str] = []
    for node in nodes(item):
        if isinstance(node, (tree.Text, tree.String)):
            found.append(node.value)
        elif isinstance(node, tree.Interpolation):
            found += [part for part in node.parts if isinstance(part, str)]
    return "\n".join(found)


def rename_parameters(spec: Spec, name: str, random: Random) -> Spec:
    """Other words in the names of parameters."""
    tool = spec.tools[name]
    body = body_of(tool)
    taken = spec.names
    renamed: dict[str, str] = {}
    for each in tool.parameters:
        old = each.name.text
        other = _reworded(old, random)
        if other is not None and old not in bound(body):
            renamed[old] = unique(other, taken)
            taken.add(renamed[old])
    require(renamed, "its parameters have no other words here")
    values = {old: trees.ref(new) for old, new in renamed.items()}

    def arguments(given: Arguments) -> Arguments:
        return {renamed.get(old, old): each for old, each in given.items()}

    spec = rewritten(spec, {name: Rewrite(name, arguments, renamed=renamed)})
    parameters = tuple(
        each.replace(name=label(renamed.get(each.name.text, each.name.text)))
        for each in tool.parameters
    )
    return put(spec, tool.replace(parameters=parameters, body=substituted(body, values)))


def _reworded(name: str, random: Random) -> str | None:
    found = list(words(name))
    for place in reversed(range(len(found))):
        if found[place] in NOUNS:
            found[place] = random.choice(NOUNS[found[place]])
            return "_".join(found)
    return None


def reword_tools(spec: Spec, name: str, random: Random) -> Spec:
    """A description that begins in other words."""
    tool = spec.tools[name]
    if tool.description is None:
        raise NotHere("it has no description")
    told = tool.description.value
    for beginning, other in PHRASES.items():
        if told.startswith(beginning + " "):
            text = other + told.removeprefix(beginning)
            return put(spec, tool.replace(description=described(text)))
    raise NotHere("its description begins with no word that has another here")
