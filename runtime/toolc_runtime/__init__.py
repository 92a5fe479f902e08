"""The runtime of toolc builds: environments, episodes and verdicts, on the standard library alone.

::

    environment = toolc_runtime.load("build/geography")
    episode = environment.episode("capital_population:China")
    text = episode.call("get_capital", {"country": "China"})
    verdict = episode.finish("Answer: 21893095")
"""

from toolc_runtime.environment import Environment, load
from toolc_runtime.episode import Episode
from toolc_runtime.errors import (
    BudgetExceeded,
    BuildError,
    Fail,
    Malformed,
    PatternError,
    SchemaError,
)
from toolc_runtime.task import Task
from toolc_runtime.tool import Tool
from toolc_runtime.trace import Call

__version__ = "0.1.0"

__all__ = [
    "BudgetExceeded",
    "BuildError",
    "Call",
    "Environment",
    "Episode",
    "Fail",
    "Malformed",
    "PatternError",
    "SchemaError",
    "Task",
    "Tool",
    "load",
]
