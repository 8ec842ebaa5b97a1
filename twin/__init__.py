"""twin: a discrete-event digital twin of a social platform.

    import twin
    run = twin.run(twin.load("quickstart", duration="30d"))
    run.series("enjoyed_per_session")

`load`, `run` and `open` for runs; `compare`, `sweep`, `audit`, `stress` and `open_experiment` for
experiments; `Simulation` to step a world by hand; `Mechanism`, `Every`, `Wakes`, `Metric`,
`Column`, `Params`, `par` to write a mechanism of your own; `Ranker`, `Batch`, `Lesson` to write a
ranker; `twin.testing` to test a mechanism; `twin.gym` for Gymnasium. Names are
imported when they are first used.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.engine.simulation import Simulation as Simulation
    from twin.ground.errors import ScenarioError as ScenarioError
    from twin.ground.errors import TwinError as TwinError
    from twin.ground.errors import UsageError as UsageError
    from twin.public.experiments import Result as Result
    from twin.public.experiments import audit as audit
    from twin.public.experiments import compare as compare
    from twin.public.experiments import open_experiment as open_experiment
    from twin.public.experiments import stress as stress
    from twin.public.experiments import sweep as sweep
    from twin.public.runs import Run as Run
    from twin.public.runs import load as load
    from twin.public.runs import open_run as open  # noqa: F401
    from twin.public.runs import run as run
    from twin.ranking import Batch as Batch
    from twin.ranking import Lesson as Lesson
    from twin.ranking import Ranker as Ranker
    from twin.scenario.loading import Scenario as Scenario
    from twin.world.columns import Column as Column
    from twin.world.mechanism import Every as Every
    from twin.world.mechanism import Mechanism as Mechanism
    from twin.world.mechanism import Wakes as Wakes
    from twin.world.metric import Metric as Metric
    from twin.world.params import Duration as Duration
    from twin.world.params import Params as Params
    from twin.world.params import par as par

_PUBLIC = {
    "Simulation": "twin.engine.simulation",
    "ScenarioError": "twin.ground.errors",
    "TwinError": "twin.ground.errors",
    "UsageError": "twin.ground.errors",
    "Result": "twin.public.experiments",
    "audit": "twin.public.experiments",
    "compare": "twin.public.experiments",
    "open_experiment": "twin.public.experiments",
    "stress": "twin.public.experiments",
    "sweep": "twin.public.experiments",
    "Run": "twin.public.runs",
    "load": "twin.public.runs",
    "open": "twin.public.runs",
    "run": "twin.public.runs",
    "Scenario": "twin.scenario.loading",
    "Batch": "twin.ranking",
    "Lesson": "twin.ranking",
    "Ranker": "twin.ranking",
    "Column": "twin.world.columns",
    "Every": "twin.world.mechanism",
    "Mechanism": "twin.world.mechanism",
    "Wakes": "twin.world.mechanism",
    "Metric": "twin.world.metric",
    "Duration": "twin.world.params",
    "Params": "twin.world.params",
    "par": "twin.world.params",
}
_CALLED = {"open": "open_run"}
"""Names that are others where they are defined."""
__all__ = ["__version__", *_PUBLIC]  # noqa: F822  (by `__getattr__`)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("twin")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'twin' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), _CALLED.get(name, name))


def __dir__() -> list[str]:
    return sorted(__all__)
