"""The policies by name, each made from settings that are JSON, so that any process can make it.

The settings of a policy are what a run's `run.json` says of it: its `name` and whatever else
decides what it does, without secrets. What only says how the model is reached is apart, in
`access`: a run goes on though it is another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from toolc.eval.policy import Policy
from toolc.eval.rollout import Work
from toolc_runtime.chat.message import Message, Reply
from toolc_runtime.environment import Environment
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task

Settings = Mapping[str, Any]
Environments = Mapping[str, Environment]
Chooser = Callable[[Work], Policy]
"""The policy that plays an episode: the same for all, but where each is recorded."""


class Kind(NamedTuple):
    """A kind of policy. One that computes plays in several processes, one that mostly waits, or
    that holds a model, in threads."""

    make: Callable[[Settings, Environments], Chooser]
    parallel: Literal["processes", "threads"]


class Noop:
    """Calls nothing and says nothing of use."""

    name = "noop"

    def open(self, episode: Episode, task: Task, seed: int) -> Noop:
        return self

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        return Reply("I do nothing.")


def always(policy: Policy) -> Chooser:
    """The same policy for every episode."""
    return lambda work: policy


def _reference(settings: Settings, environments: Environments) -> Chooser:
    from toolc.eval.reference import Reference

    return always(Reference())


def _noop(settings: Settings, environments: Environments) -> Chooser:
    return always(Noop())


def _random(settings: Settings, environments: Environments) -> Chooser:
    from toolc.eval.chance import Chance

    return always(Chance(environments))


def _replay(settings: Settings, environments: Environments) -> Chooser:
    from toolc.eval.recording import Replay, recording

    recorded = recording(settings["file"])
    return lambda work: Replay(recorded, work)


def _endpoint(settings: Settings, environments: Environments) -> Chooser:
    from toolc.eval.endpoint import from_settings

    return always(from_settings(settings))


def _local(settings: Settings, environments: Environments) -> Chooser:
    from toolc.eval.local import from_settings

    return always(from_settings(settings))


POLICIES: Mapping[str, Kind] = {
    "reference": Kind(_reference, "processes"),
    "noop": Kind(_noop, "processes"),
    "random": Kind(_random, "processes"),
    "replay": Kind(_replay, "processes"),
    "endpoint": Kind(_endpoint, "threads"),
    "local": Kind(_local, "threads"),
}
"""What each name of a policy's settings stands for."""

ALONE = ("reference", "noop", "random")
"""Those that need no further settings: `--policy NAME`."""
