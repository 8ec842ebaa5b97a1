"""Makes the pictures of the documentation anew: `python -m tests.pictures`.

Without `--run` it runs scenarios/everything.yaml, and from summer on a branch of it without
profiling, which takes some minutes; then every committed dashboard is drawn as Grafana draws it
(see tests/e2e/drawing.py) into dashboards/<uid>.png, and the live page is taken. `--run DIR` takes
a finished run instead, and may be given again for its branches; only *Run health*, which shows a
run in progress, needs a new one, cut short. *Twin and platform* shows a world of 1,000 people as
the platform, and the forecast of a calibration to its first four weeks (`--calibrated DIR` takes a
calibrated folder instead).
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tests import live_page
from tests.conftest import ROOT, SCENARIOS
from tests.e2e.drawing import DASHBOARDS, MissingError, Studio, saved, studio
from tests.given.ports import free_port
from twin.readers.dashboards.frame import PLATFORM, REAL

SCENARIO = SCENARIOS / "everything.yaml"
HEALTH, POLICY_PAGE = "twin-run-health", "twin-policy"
WORLD = SCENARIOS / "forecasts.yaml"
LIVED = (
    "audience.initial=1000",
    "creators.human.initial=330",
    "creators.ai.initial=20",
    "warm_up=20d",
    "duration=42d",
)
"""The platform beside which a twin is drawn."""
CALIBRATED = (
    *("--until", "2025-01-28", "--ahead", "14d", "--burn-in", "10d"),
    *("--quick", "--worlds", "24", "--people", "400"),
)
"""Its twin, smaller than one that is to be believed."""
BRANCH, POLICY, FROM_DAY = "chronological", SCENARIOS / "policies" / "chronological.yaml", 200
"""The branch that is drawn beside the run, and what it does from which day on."""
FORK_AT, HEALTH_AT, CUT_AT = 0.4, 0.9, 0.15
"""Parts of a run's simulated time: when the branch leaves it, when its health is drawn; and where a
run for its health alone is cut."""


@dataclass
class Setting:
    """What pictures are made of: the runs (a run and its branches), where they go, and who
    draws."""

    room: Studio
    runs: Sequence[Path]
    into: Path
    scraped: int


def dashboards(setting: Setting, uids: Sequence[str]) -> None:
    """Every dashboard of simulated time; the one that compares branches last, so that their marks
    are on it alone."""
    setting.room.add(setting.runs[0])
    setting.room.push(run=setting.runs[0])
    for uid in uids:
        if uid != POLICY_PAGE:
            drawn(setting, uid)
    for branch in setting.runs[1:]:
        setting.room.add(branch)
    if POLICY_PAGE in uids:
        drawn(
            setting,
            POLICY_PAGE,
            **{"var-branch": "$__all", "var-at": str(FROM_DAY)} if len(setting.runs) > 1 else {},
        )


def drawn(setting: Setting, uid: str, **query: str) -> None:
    """One dashboard; fails if anything is wrong with it."""
    began, path = time.monotonic(), setting.into / f"{uid}.png"
    picture = setting.room.easel.draw(uid, path, **query)
    if picture.problems:
        raise SystemExit("\n".join(picture.problems))
    smaller(path)
    click.echo(f"{path}: {len(picture.panels)} panels, {time.monotonic() - began:.1f} s")


def smaller(path: Path) -> None:
    """Keep 256 colours of a picture: a third of the bytes, and no eye sees it."""
    from PIL import Image

    with Image.open(path) as image:
        few = image.convert("RGB").quantize(
            256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    few.save(path, optimize=True)


def health(setting: Setting, began: float) -> None:
    """The dashboard of a run in progress, from its begin until now."""
    setting.room.push()
    drawn(
        setting, HEALTH, **{"from": str(round(began * 1000)), "to": str(round(time.time() * 1000))}
    )


def platform(setting: Setting, calibrated: Path) -> None:
    """The twin beside its platform, at the dates of its forecast."""
    query = setting.room.follow(calibrated)
    setting.room.push()
    drawn(setting, PLATFORM, **query)


def follower(here: Path) -> Path:
    """A platform, and a twin that is calibrated to it."""
    sizes = [part for size in LIVED for part in ("--set", size)]
    twin("run", WORLD, *sizes, "--out", here / "run", "--log", here / "log", "--quiet")
    twin("observe", here / "log", "--layout", "twin", "--out", here / "seen", "--k", "2")
    twin("calibrate", WORLD, "--on", here / "seen", *CALIBRATED, "--out", here / "calibrated")
    return here / "calibrated"


@contextlib.contextmanager
def running(setting: Setting, out: Path) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """A run of everything in progress, and when it began; whatever is left of it is stopped."""
    began = time.time()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "twin",
            "run",
            SCENARIO,
            "--out",
            out,
            "--metrics",
            f"127.0.0.1:{setting.scraped}",
            "--quiet",
        ],
        cwd=ROOT,
        text=True,
    )
    try:
        yield process, began
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def until(setting: Setting, process: subprocess.Popen[str], part: float) -> None:
    """Wait until so much of a run is done."""
    while process.poll() is None:
        found = setting.room.prometheus.query("twin_run_progress_ratio", time.time())
        if found and float(found[0]["value"][1]) >= part:
            return
        time.sleep(0.5)
    raise SystemExit(f"the run ended early, with {process.returncode}")


def twin(*args: Any) -> None:
    """The command line."""
    subprocess.run(
        [sys.executable, "-m", "twin", *map(str, args)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def made(setting: Setting, folder: Path) -> list[Path]:
    """The run and its branch; the run's health is drawn on the way."""
    main, branch = folder / "main", folder / BRANCH
    with running(setting, main) as (process, began):
        until(setting, process, FORK_AT)
        twin(
            "fork",
            main,
            "--name",
            BRANCH,
            "--policy",
            POLICY,
            "--at",
            f"{FROM_DAY}d",
            "--out",
            branch,
        )
        until(setting, process, HEALTH_AT)
        health(setting, began)
        if process.wait():
            raise SystemExit(process.returncode)
    twin("resume", branch, "--quiet")
    return [main, branch]


def live(into: Path) -> None:
    """The live page of scenarios/quickstart.yaml, for a desk in light and dark and for a phone."""
    with tempfile.TemporaryDirectory() as here:
        for path in live_page.picture(into, Path(here)):
            smaller(path)
            click.echo(path)


MORE: tuple[Callable[[Path], None], ...] = (live,)
"""Further pictures, made after the dashboards into the folder that is given."""


@click.command(help=__doc__)
@click.option(
    "--run",
    "runs",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    metavar="DIR",
    help="A finished run; again: a branch of it.",
)
@click.option(
    "--calibrated",
    type=click.Path(path_type=Path, exists=True),
    metavar="DIR",
    help="A calibrated folder for Twin and platform.",
)
@click.option(
    "--only", multiple=True, metavar="UID", help="Draw this dashboard; may be given many times."
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Make the runs in this new folder and keep them.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=DASHBOARDS,
    metavar="DIR",
    help="Where the pictures go.",
)
def main(
    runs: tuple[Path, ...],
    calibrated: Path | None,
    only: tuple[str, ...],
    work: Path | None,
    into: Path,
) -> None:
    """Make the pictures."""
    wanted = only or tuple(saved(DASHBOARDS))
    scraped = free_port()
    try:
        with tempfile.TemporaryDirectory() as name, studio(Path(name), scraped) as room:
            setting = Setting(room, runs, into, scraped)
            if PLATFORM in wanted:
                platform(setting, calibrated or follower(Path(name)))
            simulated = [uid for uid in wanted if uid not in REAL]
            if not runs and (simulated or HEALTH in wanted):
                setting.runs = made(setting, work or Path(name))
            elif HEALTH in wanted:
                with running(setting, Path(name) / "health") as (process, began):
                    until(setting, process, CUT_AT)
                    health(setting, began)
            if simulated:
                dashboards(setting, simulated)
    except MissingError as error:
        raise SystemExit(str(error)) from None
    for more in () if only else MORE:  # now, for there may be one driver of a browser at a time
        more(into)


if __name__ == "__main__":
    main()
