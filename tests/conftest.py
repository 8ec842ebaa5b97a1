"""Shared worlds, real data, and the command line as users call it."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from twin.scenario.loading import Scenario, load
from twin.testing import SMALL as SMALL_WORLD
from twin.testing import history as history

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "scenarios"
SMALL = (*SMALL_WORLD, "recommender.refresh=30min")
"""The small world of `twin.testing`, with a third of the serving snapshots: 40 % less processor
time. There the grid stays the scenario's, since a mechanism of a user may have a clock of 10
minutes; a test whose claim needs such a grid sets it itself."""
os.environ.setdefault(
    "TWIN_CACHE", str(Path(tempfile.gettempdir()) / "twin-tests")
)  # what is warmed up once serves all tests
SIGNALS = ("topic", "slant", "arousal", "comprehensiveness", "format", "label", "counts")
SIGNALS_OFF = tuple(f"recommender.signals.{name}.on=false" for name in SIGNALS)
"""A feed that knows posts by their IDs alone."""
if (
    signal.getsignal(signal.SIGINT) == signal.SIG_IGN
):  # begun in the background by a shell; tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
hypothesis_settings.register_profile("same", derandomize=True)  # the same examples everywhere
hypothesis_settings.load_profile("same")
PATIENCE_S = 600.0
"""How long anything may take on a busy machine before a test gives up. What is tested is never how
fast something is: tests wait for what is to come, and so long for it."""
FOLDERS = (
    "unit",
    "contract",
    "golden",
    "property",
    "processes",
    "worlds",
    "statistical",
    "e2e",
)
"""Folders of tests, the fastest first; each is a marker too (pyproject.toml says what they are)."""
MARKERS = {"real_data": "real_data", "browser": "browser", "room": "browser"}
"""Fixtures that give a marker to what uses them."""
LONGEST = (
    "e2e/test_readme.py",
    "e2e/test_docs_worlds.py",
    "e2e/test_docs_experiments.py",
    "statistical/test_experiments_in_worlds.py",
    "e2e/test_compare.py",
    "e2e/test_sweep_audit.py",
    "e2e/test_dashboards_drawn.py",
    "statistical/test_recommender.py",
    "e2e/test_docs_mechanism.py",
    "e2e/test_command_line.py",
    "e2e/test_fitting.py",
    "e2e/test_live_page.py",
    "worlds/test_warm_up.py",
    "worlds/test_threads.py",
    "e2e/test_levers.py",
    "e2e/test_endpoint.py",
    "e2e/test_backends.py",
    "e2e/test_docs_calibrate.py",
    "processes/test_calibrate.py",
    "e2e/test_docs_live.py",
    "e2e/test_dashboards_data.py",
    "statistical/test_makers.py",
    "statistical/test_intervals.py",
    "worlds/test_exactness.py",
    "e2e/test_docs.py",
    "e2e/test_remote_write.py",
    "e2e/test_stress.py",
    "statistical/test_bounded.py",
    "statistical/test_creators.py",
    "processes/test_rest.py",
    "unit/test_findings.py",
    "unit/test_forecasts.py",
    "unit/test_follow.py",
    "unit/test_evidence.py",
)
"""Files that take longest, the longest first: with several workers they begin first, or the others
would wait for their end."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Markers by folder and by fixture. On one processor fast folders come first; on several (see
    .ci/run) a file stays on one of them, and long files begin before short ones."""

    # those of `twin.testing`, which users run, are nobody's here
    items[:], aside = (
        [item for item in items if item.path.is_relative_to(ROOT / "tests") is ours]
        for ours in (True, False)
    )

    def place(item: pytest.Item) -> tuple[int, int]:
        path = item.path.relative_to(ROOT / "tests")
        name = path.as_posix()
        long = LONGEST.index(name) if name in LONGEST else len(LONGEST)
        return long, -FOLDERS.index(path.parts[0])

    for item in items:
        item.add_marker(item.path.relative_to(ROOT / "tests").parts[0])
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKERS:
                item.add_marker(MARKERS[fixture])
    if hasattr(config, "workerinput"):
        items.sort(key=place)
    else:
        items.sort(key=lambda item: -place(item)[1])
    items += aside


def pytest_sessionstart() -> None:
    """Imports and collection make some million objects that stay. Not where this file is imported,
    which campaigns and benchmarks do, too: their garbage would never be collected."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is there now stays: the collector of garbage need not look through it at every pass."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing may skip: a missing component is a failure there, a loud skip on a user's
    machine."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {call.excinfo.value if call.excinfo else 'no reason'}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what the tests of Grafana did not reach."""
    done = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
    ]
    if any("test_grafana" in report.nodeid for report in done) and not (
        os.environ.get("GRAFANA_URL") and os.environ.get("GRAFANA_TOKEN")
    ):
        terminalreporter.write_line(
            "NOTICE: NO REAL GRAFANA WAS REACHED (GRAFANA_URL and GRAFANA_TOKEN name none): push "
            "and annotate were "
            "tested against a server written from its documented HTTP API",
            yellow=True,
            bold=True,
        )


@pytest.fixture(scope="session")
def small() -> Callable[..., Scenario]:
    """A world of 300 people with every mechanism; more ``path=value`` settings may be given."""

    def make(*settings: str, base: str = "base") -> Scenario:
        return load(SCENARIOS / f"{base}.yaml", (*SMALL, *settings))

    return make


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with data that may be used but not redistributed: ego-facebook.txt.gz (SNAP)."""
    folder = Path(os.environ.get("TWIN_DATA", "data"))
    if not (folder / "ego-facebook.txt.gz").exists():
        pytest.skip(
            f"no ego-facebook.txt.gz in {folder} (take it from SNAP and set TWIN_DATA to its "
            f"folder)"
        )
    return folder


def twin(
    *args: str | Path, cwd: Path, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """The real command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "twin", *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, **env},
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def settings(*values: str) -> list[str]:
    """``--set`` arguments of the small world and more."""
    return [part for value in (*SMALL, *values) for part in ("--set", value)]
