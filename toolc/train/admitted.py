"""The tasks of a build that an audit has passed: only these are trained on and reported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from toolc.audit.record import BuildNameError, admitted, environments_in
from toolc_runtime.environment import Environment, load


class NotAdmitted(Exception):
    """The build has no tasks to train on; the message says what to do."""


class Admitted(NamedTuple):
    """An environment of a build, its folder, and the ids of the tasks that passed their audit."""

    folder: str
    environment: Environment
    tasks: tuple[str, ...]


def admitted_in(build: str) -> Mapping[str, Admitted]:
    """The environments of a build, or the one whose folder it is, by name. Raises `NotAdmitted`,
    and `BuildError` where one cannot be loaded."""
    try:
        folders = environments_in(build)
    except BuildNameError as error:
        raise NotAdmitted(f"`{build}` is no build that toolc wrote: {error}") from None
    if not folders:
        raise NotAdmitted(f"`{build}` holds no build; `toolc compile` writes one")
    made = {}
    for folder in folders:
        environment = load(folder)
        root = os.path.dirname(os.path.realpath(folder))
        found = admitted(root, environment)
        if found.unaudited:
            raise NotAdmitted(f"`{folder}` was not audited as it is now: run `toolc audit {root}`")
        made[environment.name] = Admitted(folder, environment, found.passed)
    return made
