"""Advice from a calibration to its files, and a platform followed through a policy, with a few small
worlds."""

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.conftest import SCENARIOS, SMALL
from tests.given.calibrated import SETTINGS
from tests.given.inside import twin
from twin.observing import daily as of_days
from twin.observing.daily import Seen
from twin.running import drive
from twin.scenario.loading import load

POLICY = SCENARIOS / "policies" / "random_feed.yaml"
FILES = ("results.parquet", "forecast.parquet", "draws.parquet")


@pytest.fixture(scope="module")
def advice(calibrated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of advice on a random feed, and what was said; of the platform nothing later than
    what the calibration read is known yet."""
    here = tmp_path_factory.mktemp("advice")
    out = here / "advice"
    early = [calibrated.parent / "log" / f"2025-01-0{day}.parquet" for day in range(1, 7)]
    seen = twin("observe", *early, "--layout", "twin", "--k", "2", "--out", here / "early")
    assert seen.status == 0, seen.output
    done = twin(
        *("recommend", calibrated, "--on", here / "early", "--policy", POLICY, "--ahead", "2d"),
        *("--goal", "effect(session_depth) > 0", "--run-on", "local:1", "--out", out),
    )
    assert done.status == 0, done.output
    return out, done.output


def test_arms_are_the_worlds_of_the_calibration(calibrated: Path, advice: tuple[Path, str]) -> None:
    """Without a policy a world goes on as in the bank, to the last bit; with one it is the same until
    the fork and another after it."""
    out, said = advice
    assert "recommended: " in said and "random feed: keeps" in said and "report: " in said
    for world in range(4):
        seen = [
            Seen.decoded(
                (
                    calibrated / f"worlds/{world:05d}" / of_days.file(dt.date(2025, 1, 6))
                ).read_bytes()
            ),
            *(
                Seen.decoded((out / f"worlds/{world:05d}/arm-{arm}.json").read_bytes())
                for arm in (0, 1)
            ),
        ]
        assert seen[0].daily == seen[1].daily
        clicks = [list(each.daily["impressions"].values()) for each in seen]
        assert clicks[1][:6] == clicks[2][:6] and clicks[1][6:] != clicks[2][6:]
        means = np.load(out / f"worlds/{world:05d}/means.npy")
        assert len(means) == 2 and np.isfinite(means[0]).any()
    ahead = pq.read_table(out / "forecast.parquet").to_pylist()
    assert {row["policy"] for row in ahead} == {"as it is", "random feed"}
    assert {row["ahead_d"] for row in ahead} == {1, 2}
    rows = pq.read_table(out / "results.parquet").to_pylist()
    assert {row["policy"] for row in rows} == {"random feed"}
    assert all(row["q0.1"] <= row["q0.9"] for row in rows)


def test_lost_worlds_come_again_to_the_same_bytes(advice: tuple[Path, str], tmp_path: Path) -> None:
    """A folder that was stopped is resumed, and its report can be written again."""
    shutil.copytree(advice[0], tmp_path / "again")
    shutil.rmtree(tmp_path / "again" / "worlds" / "00001")
    assert twin("resume", tmp_path / "again", "--on", "local:1").status == 0
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (advice[0] / name).read_bytes()
    assert twin("report", tmp_path / "again").status == 0


def test_a_platform_is_followed_through_a_policy(
    calibrated: Path, advice: tuple[Path, str], tmp_path: Path
) -> None:
    """The calibration's platform applies the policy on the day after the advice: days since are held
    against it and not fitted, and the report says how it went."""
    scenario = load(SCENARIOS / "forecasts.yaml", (*SMALL, *SETTINGS), [f"{POLICY}@6d"])
    drive.start(scenario, tmp_path / "run", log=tmp_path / "log")
    seen = ("observe", tmp_path / "log", "--layout", "twin", "--out", tmp_path / "seen", "--k", "2")
    assert twin(*seen).status == 0
    for name, folder in (("calibrated", calibrated), ("advice", advice[0])):
        shutil.copytree(folder, tmp_path / name)
    given = ("sync", tmp_path / "calibrated", "--on", tmp_path / "seen", "--advice")
    done = twin(*given, tmp_path / "advice", "--applied", "random feed")
    assert done.status == 0, done.output
    # four worlds allow no p below a fifth
    assert "random feed, 2 days since 2025-01-07: too few worlds to say" in done.output
    assert "impressions: " in done.output and "are not fitted" in done.output
    assert not (tmp_path / "calibrated" / "versions").exists()
    assert "How random feed went" in (tmp_path / "advice" / "report.html").read_text()
    # a day later, so that a day before it is new
    late = twin(
        *(*given, tmp_path / "advice", "--applied", "random feed", "--since", "2025-01-08"),
    )
    assert late.status == 0 and "version 1: until 2025-01-07" in late.output
    for more, words in (
        (("--applied", "random_feed"), "did you mean random feed?"),
        (("--applied", "random feed", "--since", "2025-01-01"), "the advice is from 2025-01-06"),
        (("--applied", "random feed", "--since", "2025-01-20"), "has no day since then"),
    ):
        wrong = twin(*given, tmp_path / "advice", *more)
        assert wrong.status == 2 and words in wrong.output
    none = twin(*given, tmp_path / "calibrated")
    assert none.status == 2 and "holds no advice" in none.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--policy", "randm_feed.yaml"), "there is no file"),
        (("--policy", POLICY, "--policy", POLICY), "would be called"),
        (("--policy", POLICY, "--goal", "effect(sesions) > 0"), "sessions"),
        (("--policy", POLICY, "--worlds", "5"), "has 4"),
        (("--policy", POLICY, "--ahead", "0d"), "a day at least"),
        (("--policy", POLICY, "--on", "nowhere"), "is no observed folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_world_runs(
    change: tuple[str, ...], said: str, calibrated: Path, tmp_path: Path
) -> None:
    """One line; no folder is made."""
    done = twin("recommend", calibrated, "--out", tmp_path / "none", *change)
    assert done.status == 2
    assert said in done.output and "bug" not in done.output and not (tmp_path / "none").exists()
