"""Run folders of which a disk, or somebody, has changed or lost a part: said in a line that names
it, and never other readings in silence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.campaign import samples
from twin.cli import main
from twin.ground.errors import CheckpointError, UsageError
from twin.ground.units import HOUR
from twin.record.manifest import load_manifest
from twin.running import drive
from twin.running.commands import carry_out
from twin.world.saved import FOLDER, latest


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that was killed after its second checkpoint, and the same one whole."""
    folder = tmp_path_factory.mktemp("damaged")
    with samples.undrawn():
        samples.fill(folder, ["run folder"])
        yield folder / samples.SAMPLES


@pytest.fixture
def run(sample: Path, tmp_path: Path) -> Path:
    """A copy of the killed run."""
    return Path(shutil.copytree(sample / samples.RUN, tmp_path / "run"))


def flipped(path: Path, where: float, bit: int = 0) -> None:
    """Change one bit of a file, at a share of its length or at a whole number of bytes."""
    data = bytearray(path.read_bytes())
    data[where if isinstance(where, int) else int(where * (len(data) - 1))] ^= 1 << bit
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "where", "bit"),
    [
        ("table.consumers.taste.npy", 0.9, 0),
        ("table.consumers.taste.npy", 0.0, 0),
        # the length of its header: numpy then takes half of it for Python
        ("table.consumers.taste.npy", 8, 6),
        ("table.posts.creator.npy", 1.0, 0),
        ("board.npy", 0.5, 0),
        ("manifest.json", 0.5, 0),
        ("manifest.json", 0.02, 0),
    ],
)
def test_a_bit_of_a_checkpoint(sample: Path, run: Path, name: str, where: float, bit: int) -> None:
    """It is named with the mend, which leads to the right readings."""
    newest = latest(run / FOLDER)
    assert newest is not None
    flipped(newest / name, where, bit)
    with pytest.raises(CheckpointError, match="remove this folder to continue from the check"):
        drive.resume(run)
    shutil.rmtree(newest)
    drive.resume(run)
    right = (sample / samples.WHOLE / "metrics.parquet").read_bytes()
    assert (run / "metrics.parquet").read_bytes() == right


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda part, _: part.unlink(), CheckpointError, "readings or events from before"),
        (lambda _, events: events.unlink(), CheckpointError, "readings or events from before"),
        (lambda part, _: part.write_bytes(b"none"), UsageError, "part-.* cannot be read"),
        (lambda part, _: flipped(part, 0.1), UsageError, "part-.* cannot be read"),
    ],
)
def test_a_part_of_the_readings(
    run: Path, change: Callable[[Path, Path], None], error: type[Exception], words: str
) -> None:
    """Lost or changed: the run does not go on as if nothing were missing."""
    parts = [sorted((run / name).glob("part-*"))[0] for name in ("metrics", "events")]
    change(*parts)
    with pytest.raises(error, match=words):
        drive.resume(run)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("metrics", "no list", "metrics is 'no list'"),
        ("metrics", [{"name": "x"}], "metric 1 is none"),
        ("start", "2025-02-30", "start is '2025-02-30'"),
        ("duration_s", "10d", "duration_s is '10d'"),
        ("duration_s", 10**20, "duration_s is 100000000000000000000"),
        ("branch", None, "branch is None"),
        ("reference", 1, "reference is 1"),
        ("run_id", ..., "it lacks run_id"),
    ],
)
def test_a_manifest_of_another_kind(
    run: Path, key: str, value: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever reads it says what is wrong."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    if value is ...:
        del manifest[key]
    else:
        manifest[key] = value
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["export", str(run)])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and f"manifest.json is damaged: {words}" in said
    assert said.count("\n") == 1


def test_a_unit_that_is_no_text(run: Path) -> None:
    """Of a metric in the manifest."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert load_manifest(run) == manifest
    manifest["metrics"][3]["unit"] = [[]]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(UsageError, match="metric 4 has a part of another kind"):
        load_manifest(run)
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(UsageError, match=r"manifest\.json cannot be read"):
        load_manifest(run)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"do": "fork", "out": 0.5}, "out: is no text"),
        ({"do": "fork", "branch": ["b"]}, "branch: is no text"),
        ({"do": "intervene", "policy": {"set": {}}}, "policy: is no text"),
        ({"do": "fork", "out": "\0"}, "no folder can have such a name"),
    ],
)
def test_commands_of_another_kind(run: Path, command: dict[str, object], words: str) -> None:
    """Refused, and nothing is written anywhere."""

    class Standing:
        """A run at a barrier, as far as a command that is refused looks."""

        out, now, paused = run, 14 * HOUR, False
        manifest = load_manifest(run)
        simulation = drive.Simulation(samples.small())

        def save(self) -> None:
            """Everything is saved."""

    before = sorted(run.parent.rglob("*"))
    reply = carry_out(Standing(), command)  # type: ignore[arg-type]
    assert words in reply["error"] and "failed" not in reply["error"]
    assert sorted(run.parent.rglob("*")) == before
