"""What a gate found of a task."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from toolc.audit.script import Script, to_json

Outcome = Literal["proved", "refuted", "unknown"]


class Finding(NamedTuple):
    """A gate's outcome. `reason` says what was tried or what went wrong; `script` is the episode
    that shows it, where there is one: as JSON it can be played with
    `toolc run BUILD/ENV --task ID --script FILE`."""

    outcome: Outcome
    reason: str
    script: Script | None = None

    def to_json(self) -> dict[str, Any]:
        made: dict[str, Any] = {"verdict": self.outcome, "reason": self.reason}
        if self.script is not None:
            made["episode"] = to_json(self.script)
        return made


def proved(reason: str) -> Finding:
    return Finding("proved", reason)


def refuted(reason: str, script: Script | None = None) -> Finding:
    return Finding("refuted", reason, script)


def unknown(reason: str) -> Finding:
    return Finding("unknown", reason)
