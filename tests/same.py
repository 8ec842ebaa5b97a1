"""Do two trees of the project give the same bytes? What a step that only moves code has to show.

    python -m tests.same OTHER [--days 10] [--findings]

Runs the scenarios of this tree, shortened, with the code of this one and of OTHER, and compares
readings and events byte by byte; with ``--findings`` also the table of the findings' quick set.
Exits with 1 where anything differs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tests.conftest import ROOT, SCENARIOS

NAMES = ("base", "quickstart", "everything", "two_years", "real_network")
SETTINGS = (
    "warm_up=3d",
    "audience.initial=2000",
    "creators.human.initial=300",
    "metrics.every=1d",
)
POLICY = "policies=[{at: 4d, share: 0.5, set: {recommender.preset: likes, audience.counts_shown: false}}]"


def commands(days: int, findings: bool) -> dict[str, list[str]]:
    """What is run, by name."""
    runs = {}
    for name in NAMES:
        settings = [*SETTINGS, POLICY, f"duration={days}d"]
        if name == "real_network":
            data = Path(os.environ.get("TWIN_DATA", "data")) / "ego-facebook.txt.gz"
            settings = [each for each in settings if not each.startswith(("audience", "creators"))]
            settings.append(f"network.path={data.resolve()}")
        sets = [word for each in settings for word in ("--set", each)]
        path = str(SCENARIOS / f"{name}.yaml")
        runs[name] = ["run", path, "--quiet", "--no-cache", *sets, "--out", "out"]
    if findings:
        runs["findings"] = ["findings", "--quick", "--quiet", "--out", "out"]
    return runs


def digest(tree: Path, command: list[str]) -> str:
    """SHA-256 of the tables that a command leaves when it is run with the code of ``tree``."""
    with tempfile.TemporaryDirectory() as here:
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        words = [sys.executable, "-m", "twin", *command]
        subprocess.run(words, cwd=here, env=environment, check=True, stdout=subprocess.DEVNULL)
        tables = [
            Path(here) / "out" / f"{name}.parquet" for name in ("metrics", "events", "results")
        ]
        found = [table.read_bytes() for table in tables if table.exists()]
    if not found:
        raise click.ClickException(f"{' '.join(command)} left no table")
    return hashlib.sha256(b"".join(found)).hexdigest()


@click.command()
@click.argument("other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--days", default=10, show_default=True, help="How many days of each scenario.")
@click.option("--findings", is_flag=True, help="Also the findings' quick set; takes long.")
def main(other: Path, days: int, findings: bool) -> None:
    """Compare this tree with OTHER."""
    differ = 0
    for name, command in commands(days, findings).items():
        here, there = digest(ROOT, command), digest(other.resolve(), command)
        differ += here != there
        print(f"{name:14s} {'same' if here == there else 'DIFFERS'}  {here[:16]} {there[:16]}")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
