"""Whether a world is at rest: the command, and what a comparison writes down."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from tests.conftest import SCENARIOS, settings, twin
from tests.given.inside import called


def test_the_command(tmp_path: Path) -> None:
    """Opinions that begin at their anchors drift, sessions in a world that empties follow the
    number of people: exit status 1, a row per headline, a verdict, a proposal; its flags belong
    together."""
    given = settings(
        "opinions.start=anchors",
        "audience.leave=0.03",
        "audience.arrivals=0/d",
        "audience.initial=200",
        "warm_up=2d",
    )
    done = twin(
        "check",
        SCENARIOS / "base.yaml",
        *given,
        "--at-rest",
        "--days",
        "60",
        "--replicates",
        "2",
        cwd=tmp_path,
        check=False,
        TWIN_CACHE=str(tmp_path / "cache"),
    )
    assert done.returncode == 1, done.stderr
    assert (
        "2 replicates without policies, 60 days from 2025-01-01 on, after a warm-up of 2 days"
        in done.stdout
    )
    for words in (
        "Spread of opinions",
        "DRIFTS by",
        "follows the number of active people",
        "Proposed warm_up: ",
    ):
        assert words in done.stdout
    assert len(list((tmp_path / "cache" / "worlds").iterdir())) == 2
    for flags, words in (
        (("--days", "90"), "belongs to --at-rest"),
        (("--at-rest", "--regularities"), "cannot be combined"),
    ):
        failed = called("check", SCENARIOS / "base.yaml", *flags, cwd=tmp_path, check=False)
        assert failed.returncode == 2 and words in failed.stderr


def test_a_comparison_writes_it_down(tmp_path: Path) -> None:
    """`twin compare` of a world that warms up: one row per outcome, read from two weeks before the
    fork; and from less, none."""
    (tmp_path / "p.yaml").write_text("name: few\nset: {recommender.slate: 5}\n")
    given = settings("warm_up=2d", "duration=24d", "audience.initial=150")
    for at, wanted in (("15d", True), ("10d", False)):
        called(
            "compare",
            SCENARIOS / "base.yaml",
            *given,
            "--policy",
            "p.yaml",
            "--at",
            at,
            "--replicates",
            "2",
            "--out",
            at,
            "--on",
            "local:1",
            cwd=tmp_path,
            TWIN_CACHE=str(tmp_path / "cache"),
        )
        assert (tmp_path / at / "before.parquet").exists() is wanted
    table = pq.read_table(tmp_path / "15d" / "before.parquet").to_pylist()
    assert {row["metric"] for row in table} == {
        row["metric"] for row in pq.read_table(tmp_path / "15d" / "results.parquet").to_pylist()
    }
    assert any(np.isfinite(row["pace"]) and row["pace"] != 0 for row in table)
    assert (
        len(list((tmp_path / "cache" / "worlds").iterdir())) == 2
    )  # two replicates, which both comparisons share
