"""Shared worlds, real data, and the command line as users call it."""

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
from twin.testing import SMALL as SMALL
from twin.testing import history as history

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "scenarios"
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
ORDER = ("unit", "contract", "property", "golden", "statistical", "e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast folders first; in the last the longest file first, or other processors would wait for
    its end. What needs real data carries a mark, so that CI without it can leave it out by name."""
    items.sort(
        key=lambda item: (
            ORDER.index(item.path.relative_to(ROOT / "tests").parts[0]),
            item.path.name != "test_readme.py",
        )
    )
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real_data")


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
