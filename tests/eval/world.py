"""A small environment for players to play in, and an episode's worth of talk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.scenarios.specs import compile_text, load_built
from toolc.eval.policy import Policy
from toolc_runtime import Environment
from toolc_runtime.chat.message import Message
from toolc_runtime.episode import Episode
from toolc_runtime.verify import Verdict

SPEC = """\
toolc 1
environment towns "Towns and their people." version "1.0"
record Town { name: str, people: int, note: str = "" }
table towns[name]: Town = [
  {name: "Ulm", people: 128928}, {name: "Trier", people: 112195}, {name: "Jena", people: 111191},
]
tool get_people "How many people live in a town." (town: str "Name of the town.") -> int {
  let row = towns[town] else fail "unknown town: {town}"
  return row.people
}
tool set_note "Notes something about a town." (
  town: str "Its name.", note: str "What to note."
) -> bool {
  let row = towns[town] else fail "unknown town: {town}"
  towns[town].note = note
  return true
}
scenario people for t in towns {
  user "How many people live in {t.name}?"
  plan { step "How many?" let people = get_people(town: t.name) }
  answer people
}
scenario note for t in towns {
  user "Note \\"so many\\" about {t.name}, then tell me how many people live there."
  plan {
    step "Note." set_note(town: t.name, note: "so many")
    step "How many?" let people = get_people(town: t.name)
  }
  answer people
}
"""


def towns(folder: Path) -> Environment:
    """The environment, built in a folder."""
    return load_built(compile_text(SPEC), folder, "towns")


def play(
    environment: Environment, task: str, policy: Policy, seed: int = 0, most: int = 12
) -> tuple[Verdict, list[Message], Episode]:
    """Lets a policy play a task: the verdict, the messages, the episode."""
    chosen = environment.tasks[task]
    episode = environment.episode(task, seed=seed)
    player = policy.open(episode, chosen, seed)
    messages: list[Message] = [dict(message) for message in episode.messages]
    for _ in range(most):
        reply = player.respond(messages, environment.schemas_of(chosen))
        messages.append(reply.to_message())
        if not reply.calls:
            said = episode.reply(reply.content)
            assert isinstance(said, Verdict)
            return said, messages, episode
        for place, call in enumerate(reply.calls):
            text = episode.call(call.name, call.arguments, parallel=place > 0)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": text})
    return episode.finish(), messages, episode


def steps_of(environment: Environment, task: str) -> list[Mapping[str, Any]]:
    """The calls of a task's plan, and what they give."""
    return [step for turn in environment.tasks[task].turns for step in turn["steps"]]
