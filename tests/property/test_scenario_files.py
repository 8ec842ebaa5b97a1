"""Whatever is in a scenario file or a setting, loading gives a scenario or names the problems; it
never does anything else."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import SCENARIOS
from twin.ground.errors import ScenarioError
from twin.ground.units import format_duration, format_rate, parse_duration, parse_rate
from twin.mechanisms import REGISTRY
from twin.scenario.describe import digest, dump
from twin.scenario.loading import Scenario, load
from twin.world.params import leaves

PATHS = [f"{name}.{path}" for name, kind in REGISTRY.items() for path, _ in leaves(kind.Params)]
WORDS = [
    "extends",
    "name",
    "duration",
    "seed",
    "mechanisms",
    "policies",
    "metrics",
    "audience",
    "recommender",
    "dim",
    "set",
    "at",
    "90d",
    "3/d",
    "null",
    "~",
    "true",
    "off",
    "1e-3",
    "12:30",
    ".nan",
    "-1",
    "[",
    "]",
    "{",
    "}",
    ":",
    "- ",
    "\n",
    "  ",
    "#",
    "&a",
    "*a",
    "!!t",
    "'",
]
TEXT = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=40).map("".join),
)
FUZZ = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def attempt(path: Path, sets: tuple[str, ...] = ()) -> Scenario | None:
    """The scenario, or None where it was refused with one line per problem."""
    try:
        return load(path, sets)
    except ScenarioError as error:
        assert error.problems
        assert len(str(error).splitlines()) == len(error.problems)
        return None


@FUZZ
@given(TEXT)
@example("mechanisms: {audience: {initial: 1, ? [a]: b}}")
@example("policies: [[{}]]")
def test_any_text(tmp_path: Path, text: str) -> None:
    """Any text is a scenario or a list of problems, each one line."""
    (tmp_path / "x.yaml").write_text(text)
    attempt(tmp_path / "x.yaml")


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    """Any bytes likewise."""
    (tmp_path / "x.yaml").write_bytes(data)
    attempt(tmp_path / "x.yaml")


@FUZZ
@given(st.sampled_from(PATHS), TEXT)
def test_any_setting(path: str, value: str) -> None:
    """Any value for any real parameter: accepted, or refused in lines that name the flag."""
    try:
        load(SCENARIOS / "base.yaml", (f"{path}={value}",))
    except ScenarioError as error:
        assert all("--set" in problem.file for problem in error.problems), str(error)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**53),
    days=st.integers(1, 4000),
    initial=st.integers(1, 10**6),
    rate=st.floats(0, 1e6, allow_nan=False),
    name=st.text(min_size=1, max_size=40),
)
def test_what_was_resolved_loads_to_itself(
    tmp_path: Path, seed: int, days: int, initial: int, rate: float, name: str
) -> None:
    """Dump and load are inverse, digest included, for any name and numbers."""
    (tmp_path / "x.yaml").write_text("name: x\n")
    scenario = attempt(
        tmp_path / "x.yaml",
        (
            f"seed={seed}",
            f"duration={days}d",
            f"audience.initial={initial}",
            f"audience.arrivals='{rate!r}/d'",
            "name=" + _quoted(name),
        ),
    )
    if scenario is None:  # YAML itself refuses some characters
        assert re.search(r"[^\x20-\x7e]", name)
        return
    (tmp_path / "y.yaml").write_text(dump(scenario))
    again = load(tmp_path / "y.yaml")
    assert again == scenario and digest(again) == digest(scenario)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@given(st.integers(0, 10**10))
def test_durations_are_spelt_exactly(seconds: int) -> None:
    """format_duration and parse_duration are inverse."""
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.floats(0, 1e12, allow_nan=False))
def test_rates_are_spelt_exactly(rate: float) -> None:
    """format_rate and parse_rate are inverse, to the last bit."""
    assert parse_rate(format_rate(rate)) == rate


@pytest.mark.parametrize("name", sorted(path.name for path in SCENARIOS.glob("*.yaml")))
def test_shipped_scenarios_load(name: str, tmp_path: Path) -> None:
    """Every shipped scenario is right (the one that needs a file, given one)."""
    (tmp_path / "edges.txt").write_text("1 2\n")
    sets = (f"network.path={tmp_path / 'edges.txt'}",) if name == "real_network.yaml" else ()
    assert attempt(SCENARIOS / name, sets) is not None
