"""What plays a task: a policy, which opens a player for each episode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from toolc_runtime.chat.message import Message, Reply

if TYPE_CHECKING:
    from toolc_runtime.episode import Episode
    from toolc_runtime.task import Task


class Unavailable(Exception):
    """The model could not be asked: a timeout, a closed connection, a server's error.

    The episode is then not scored. It is never a reward of zero.
    """


class Unusable(Exception):
    """No episode can be played: the server refuses what it is asked, the model cannot be read.

    The run ends; nobody is told of it a thousand times.
    """


class Player(Protocol):
    """Plays one episode."""

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        """The next message. `tools` are the function schemas on offer. Raises `Unavailable`, and
        `Unusable`."""
        ...


class Policy(Protocol):
    """Opens players; used by several threads at once."""

    @property
    def name(self) -> str: ...

    def open(self, episode: Episode, task: Task, seed: int) -> Player:
        """A player for an episode that has just begun. Only a reference may look at the task or
        the episode; a model sees messages and tools alone."""
        ...
