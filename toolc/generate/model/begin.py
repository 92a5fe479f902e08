"""The first stage with a model: questions, given or asked for, become drafts of environments."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.emission.descriptions import Item
from toolc.emission.judge import Verdict
from toolc.emission.loop import Settled
from toolc.emission.prompts import prompt
from toolc.emission.run import ASKING
from toolc.generate import trees
from toolc.generate.decompose import SYSTEM
from toolc.generate.draft import Draft, Json, StageError
from toolc.generate.model import forms
from toolc.generate.model.source import PACKAGE, Model
from toolc.importing import spec
from toolc.importing.names import MAX_NAME, identifier, unique
from toolc.node import NOWHERE, Node
from toolc.syntax import tree
from toolc.workers import in_threads

if TYPE_CHECKING:
    from toolc.cluster import Cluster

TOGETHER = 12
"""Questions of one environment, where nobody says what belongs together."""
SAID = "Answer from what the tools tell, and from nothing else."
MEANINGS: Mapping[str, str] = {
    "single_hop": "one call of one tool answers it",
    "parallel_single_hop": "two or more calls, none of which needs what another gives",
    "multi_hop": "a chain of calls, each of which needs what the one before gives",
    "parallel_multi_hop": "two or more chains of calls, whose ends the answer puts together",
}


class Asked(NamedTuple):
    """A question to be, or one that cannot be used, for a `reason`: its id, the environment that it
    belongs to, what is asked of the model, what the reply has to be, and the facts."""

    id: str
    environment: str
    content: str
    wanted: forms.Wanted
    facts: tuple[str, ...] = ()
    reason: str = ""


class Left(NamedTuple):
    """A question that has come to nothing, and why; where `open`, the same run may still get it."""

    id: str
    reason: str
    open: bool = False


# ---------------------------------------------------------------- what is asked


def given(items: Sequence[Item], depth: int, width: int) -> list[Asked]:
    """What the lines of a file of questions ask for."""
    asked: list[Asked] = []
    for place, item in enumerate(items):
        more = item.more
        environment = more.get("environment", "")
        reason = item.reason or next(_wrong(more), "")
        usual = f"questions{place // TOGETHER + 1}"
        name = identifier(environment, usual) if isinstance(environment, str) else usual
        wanted = forms.Wanted(
            item.text, "" if reason else more.get("kind", ""), _known(more), depth, width
        )
        facts = _facts(more)
        asked.append(
            Asked(item.id, name, _content(item.text, wanted, facts), wanted, facts, reason)
        )
    return asked


def _wrong(more: Mapping[str, Any]) -> Iterator[str]:
    """What a line says that cannot be understood."""
    if more.get("kind", "single_hop") not in MEANINGS:
        yield f"its `kind` is none of {', '.join(MEANINGS)}"
    if not isinstance(more.get("known", []), list):
        yield "its `known` is not a list of values, one for each step"
    if not isinstance(more.get("environment", ""), str):
        yield "its `environment` is not a name"
    if len("".join(_facts(more))) > forms.MAX_FACTS:
        yield f"its `facts` have more than {forms.MAX_FACTS:,} characters"


def _known(more: Mapping[str, Any]) -> str:
    known = more.get("known", [])
    return json.dumps(known if isinstance(known, list) else [], ensure_ascii=False)


def _facts(more: Mapping[str, Any]) -> tuple[str, ...]:
    facts = more.get("facts", [])
    told = facts if isinstance(facts, list) else [facts]
    return tuple(
        each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in told
    )


def _content(question: str, wanted: forms.Wanted, facts: Sequence[str]) -> str:
    further = ""
    if facts:
        further += "Facts:\n" + "\n".join(facts) + "\n"
    if wanted.kind:
        further += f"Kind: {wanted.kind}, that is: {MEANINGS[wanted.kind]}\n"
    if json.loads(wanted.known):
        further += f"What the steps give, in order, null where it is not known: {wanted.known}\n"
    return prompt(PACKAGE, "decompose", question=question, further=further)


def invented(
    domain: str, count: int, kinds: Mapping[str, float], depth: int, width: int
) -> list[Asked]:
    """So many questions to be about a domain, in a mix of kinds."""
    asked: list[Asked] = []
    for place, kind in enumerate(_mix(kinds, count)):
        content = prompt(
            PACKAGE,
            "invent",
            number=str(place + 1),
            count=str(count),
            domain=domain,
            kind=kind,
            meaning=MEANINGS[kind],
        )
        name = f"{identifier(domain.lower()[:30], 'domain')}{place // TOGETHER + 1}"
        wanted = forms.Wanted("", kind, "[]", depth, width)
        asked.append(Asked(f"question-{place + 1}", name, content, wanted))
    return asked


def _mix(kinds: Mapping[str, float], count: int) -> list[str]:
    """So many kinds, those next that are the furthest behind their shares."""
    whole = sum(kinds.values())
    made: dict[str, int] = dict.fromkeys(kinds, 0)
    order = []
    for number in range(1, count + 1):
        behind = {kind: share * number / whole - made[kind] for kind, share in kinds.items()}
        kind = max(behind, key=lambda each: behind[each])
        made[kind] += 1
        order.append(kind)
    return order


# ---------------------------------------------------------------- asking


def decomposed(
    model: Model, asked: Sequence[Asked], jobs: int, cluster: Cluster | None = None
) -> Iterator[tuple[Asked, Settled | None]]:
    """What the model makes of each, as it comes; None where it cannot be used. `jobs` are asked for
    at a time, or those that a cluster takes. Raises `StageError`."""
    for each in asked:
        if each.reason:
            yield each, None
    usable = [each for each in asked if not each.reason]

    def ask(each: Asked) -> tuple[Asked, Settled | None]:
        def judge(text: str) -> Verdict:
            return forms.judged(forms.decomposed, forms.Decomposition(text, each.wanted))

        return each, model.settle(f"decompose/{each.id}", each.content, judge, repr(each.wanted))

    if cluster is None:
        yield from in_threads(ask, usable, jobs)
    else:
        yield from cluster.each(ask, usable, _lost, (StageError,), ASKING)


def _lost(asked: Asked, reason: str) -> tuple[Asked, Settled | None]:
    return asked, Settled(f"decompose/{asked.id}", (), None, reason, True)


# ---------------------------------------------------------------- putting together


def assembled(
    asked: Sequence[Asked], settled: Mapping[str, Settled]
) -> tuple[list[Draft], list[Left]]:
    """The drafts of the environments, and the questions that are in none."""
    left: list[Left] = []
    members: defaultdict[str, list[tuple[Asked, forms.Items]]] = defaultdict(list)
    hashes: dict[str, str] = {}
    for each in asked:
        found = settled.get(each.id)
        if found is None or found.spec is None:
            reason = each.reason or (found.reason if found else "it was not asked")
            left.append(Left(each.id, reason, found is None or found.open))
            continue
        hash = found.attempts[-1].hash
        if hash in hashes:
            left.append(Left(each.id, f"the same as {hashes[hash]}"))
            continue
        hashes[hash] = each.id
        members[each.environment].append((each, forms.items_of(found.spec)))
    return [_draft(name, several) for name, several in members.items()], left


def _draft(name: str, members: Sequence[tuple[Asked, forms.Items]]) -> Draft:
    tools: dict[str, tree.Tool] = {}
    meanings: dict[str, dict[str, Any]] = {}
    scenarios: list[tree.Item] = []
    titles: set[str] = {SYSTEM}
    description = f"Questions about {name.replace('_', ' ').rstrip('0123456789')}."
    for each, items in members:
        renamed: dict[str, str] = {}
        for tool in forms.tools_of(items):
            old = tool.name.text
            new = _place_of(tool, tools)
            tools.setdefault(new, tool.replace(name=spec.label(new)))
            meaning = meanings.setdefault(new, {"questions": [], "facts": []})
            meaning["questions"].append(each.id)
            meaning["facts"] += [fact for fact in each.facts if fact not in meaning["facts"]]
            renamed[old] = new
        (scenario,) = (item for item in items if isinstance(item, tree.Scenario))
        title = unique(identifier(each.id.replace("-", "_"), "question")[: MAX_NAME - 4], titles)
        titles.add(title)
        scenarios.append(_renamed(scenario, title, renamed))
    head = tree.Environment(
        NOWHERE, spec.label(name), tree.Text(NOWHERE, description), None, None, None
    )
    said = tree.Const(NOWHERE, spec.label(SYSTEM), None, trees.value(SAID))
    known: Mapping[str, Json] = meanings
    return Draft((head, said, *tools.values(), *scenarios), known)


def _place_of(tool: tree.Tool, tools: Mapping[str, tree.Tool]) -> str:
    """The name of a tool that is declared the same, or one of its own."""
    name = tool.name.text
    number = 1
    while name in tools or name == SYSTEM:
        if name in tools and forms.alike(tools[name].replace(name=tool.name), tool):
            return name
        number += 1
        name = f"{tool.name.text}{number}"
    return name


def _renamed(scenario: tree.Scenario, name: str, tools: Mapping[str, str]) -> tree.Scenario:
    """The scenario under a name of its own, with the tools as they are called here."""

    def change(node: Node) -> Node | None:
        if isinstance(node, tree.Call) and isinstance(node.base, tree.Ref):
            called = tools.get(node.base.name)
            if called is not None:
                arguments = trees.rewritten(node.arguments, change)
                return tree.Call(node.span, trees.ref(called), arguments)
        return None

    system = tree.System(NOWHERE, trees.ref(SYSTEM))
    clauses = trees.rewritten(scenario.clauses, change)
    made: tree.Scenario = scenario.replace(name=spec.label(name), clauses=(system, *clauses))
    return made
