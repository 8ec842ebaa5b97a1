"""What a run will cost, for `twin check`: the order of clocks within one instant, sessions, time and memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twin.engine import Simulation
from twin.mechanisms.network.edge_list import read_edges
from twin.readers.text import span
from twin.scenario import Scenario
from twin.units import DAY, format_duration


def plan(scenario: Scenario) -> str:
    """The order of clocks within one instant, and an estimate of the run's time and memory."""
    simulation = Simulation(scenario)
    lines = ["Order within one instant (phase, clock, period):"]
    lines += [f"  {rank:3d}  {phase:8s} {name:32s} {period}" for rank, phase, name, period in simulation.clock_table()]
    audience: Any = scenario.mechanisms["audience"]
    network: Any = scenario.mechanisms["network"]
    initial = audience.initial if network.kind != "edge_list" else read_edges(Path(network.path), network.directed)[0]
    days = scenario.duration / DAY
    people = initial + audience.arrivals * days / 2
    sessions = people * SESSIONS_PER_PERSON_DAY * days
    creators: Any = scenario.mechanisms["creators"]
    busy = creators.drafts > 1 or creators.human.work_share + creators.ai.work_share > 0
    seconds = sessions * SECONDS_PER_SESSION[busy] + scenario.duration / simulation.world.grid * SECONDS_PER_REFRESH[busy]
    recommender: Any = scenario.mechanisms["recommender"]
    size = BYTES_AT_REST + people * (700 + 12 * (recommender.dim + 1)) + sessions / days * 10 * 12
    lines.append(f"Estimate: about {sessions:,.0f} sessions over {format_duration(scenario.duration)}, {span(seconds)} on one "
                 f"core of a 2026 server (compiled kernels warm), {size / 2**20:,.0f} MB")
    return "\n".join(lines)


SESSIONS_PER_PERSON_DAY, BYTES_AT_REST = 0.48, 310e6
SECONDS_PER_SESSION, SECONDS_PER_REFRESH = (25e-6, 33e-6), (700e-6, 1500e-6)
"""Without and with works or drafts; measured on `quickstart`, `real_network`, `two_years` and `everything`, only for the estimate that
`twin check` prints."""
