"""Many episodes at once, for models that answer a batch in little more time than one prompt.

Each episode runs in a thread that asks for one message at a time; what all of them wait for is
answered together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from toolc_runtime.chat.message import Message, Reply
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task

Work = TypeVar("Work")
Result = TypeVar("Result")


class Request(NamedTuple):
    """A conversation that waits for the model's next message, and the tools on offer."""

    messages: Sequence[Message]
    tools: Sequence[dict[str, Any]]
    seed: int


Answer = Callable[[Sequence[Request]], Sequence[Reply]]
"""Answers a batch of requests; called by one thread."""


class _Failed(Exception):
    """The model failed; the error stands in the batch's own thread."""


class BatchPolicy:
    """A policy whose players ask together; see `Policy` in `toolc.eval.policy`."""

    def __init__(self, name: str, answer: Answer) -> None:
        self.name = name
        self._answer = answer
        self._waiting: list[tuple[Request, _Slot]] = []
        self._active = 0
        self._stopped = False
        self._changed = threading.Condition()

    def open(self, episode: Episode, task: Task, seed: int) -> _Player:
        """A player for an episode that has just begun."""
        return _Player(self, seed)

    def ask(self, request: Request) -> Reply:
        """The answer to a request, as soon as everybody else asks or has ended."""
        slot = _Slot()
        with self._changed:
            if self._stopped:
                raise _Failed
            self._waiting.append((request, slot))
            self._changed.notify_all()
        slot.ready.wait()
        if slot.reply is None:
            raise _Failed
        return slot.reply

    def play(
        self, rollout: Callable[[Work], Result], works: Iterable[Work], width: int
    ) -> Iterator[Result]:
        """The results of rollouts that open players of this policy, in the order of the work,
        `width` of them at a time. Raises what the model raises, and what a rollout raises."""
        todo = list(works)
        for at in range(0, len(todo), width):
            yield from self._together(rollout, todo[at : at + width])

    def _together(self, rollout: Callable[[Work], Result], works: list[Work]) -> list[Result]:
        results: dict[int, Result] = {}
        errors: list[BaseException] = []

        def run(index: int, work: Work) -> None:
            try:
                results[index] = rollout(work)
            except _Failed:
                pass
            except BaseException as error:
                errors.append(error)
            finally:
                with self._changed:
                    self._active -= 1
                    self._changed.notify_all()

        self._active, self._stopped = len(works), False
        threads = [
            threading.Thread(target=run, args=(index, work), daemon=True)
            for index, work in enumerate(works)
        ]
        try:
            for thread in threads:
                thread.start()
            while batch := self._gathered():
                self._serve(batch)
        except BaseException:
            self._stop()
            raise
        finally:
            for thread in threads:
                if thread.is_alive():  # an interrupt may have come before it was started
                    thread.join()
        if errors:
            raise errors[0]
        return [results[index] for index in range(len(works))]

    def _gathered(self) -> list[tuple[Request, _Slot]]:
        """What everybody waits for, in an order that is not that of the threads, so that the same
        draws go to the same episodes; nothing when everybody has ended."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) >= self._active)
            batch, self._waiting = self._waiting, []
        return sorted(batch, key=lambda each: each[0].seed)

    def _serve(self, batch: list[tuple[Request, _Slot]]) -> None:
        try:
            replies = self._answer([request for request, _ in batch])
            for (_, slot), reply in zip(batch, replies, strict=True):
                slot.reply = reply
        finally:
            for _, slot in batch:
                slot.ready.set()

    def _stop(self) -> None:
        """Nobody gets an answer any more, whoever waits or is to ask."""
        with self._changed:
            self._stopped = True
            batch, self._waiting = self._waiting, []
        for _, slot in batch:
            slot.ready.set()


class _Slot:
    """Where an answer is left."""

    __slots__ = ("ready", "reply")

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.reply: Reply | None = None


class _Player:
    """Asks for one message after another."""

    def __init__(self, policy: BatchPolicy, seed: int) -> None:
        self._policy = policy
        self._seed = seed

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        """The next message."""
        return self._policy.ask(Request(messages, tools, self._seed))
