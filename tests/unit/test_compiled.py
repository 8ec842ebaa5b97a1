"""Machine code is kept apart for every version of a kernel and of what it calls."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from twin.ground import compiled, places
from twin.running import warmed


def test_a_changed_kernel_recompiles_what_uses_it_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more byte in a file, and the code of all that import it is kept elsewhere; that of the
    others stays where it is."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    package = tmp_path / "twin"
    shutil.copytree(ROOT / "twin", package, ignore=shutil.ignore_patterns("__pycache__"))
    files = {
        path.stem: path for path in [package / "ground" / "draws.py", *package.glob("kernels/*.py")]
    }

    def places() -> dict[str, Path]:
        return {name: compiled.folder(path, package) for name, path in files.items()}

    before = places()
    assert (
        before["ranking"]
        == package
        / "__pycache__"
        / "kernels"
        / compiled.folder(ROOT / "twin" / "kernels" / "ranking.py").name
    )
    for changed, others, untouched in (
        ("draws", {"ranking", "browse", "chat"}, {"index", "maths"}),
        ("ranking", {"browse"}, {"respond", "retrieve", "training", "draws", "links"}),
        ("units", {"pace"}, {"ranking", "draws", "training"}),
    ):
        path = files.get(changed, package / "ground" / f"{changed}.py")
        text = path.read_text()
        path.write_text(text + "\n")
        after = places()
        moved = {name for name in files if after[name] != before[name]}
        assert others <= moved and not moved & untouched, changed
        path.write_text(text)
    assert places() == before
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    assert compiled.folder(files["ranking"], package).parent == tmp_path / "mine" / "kernels"


def test_old_folders_go(tmp_path: Path) -> None:
    """The newest few of a file stay, older ones are dropped, those of others are left alone."""
    for age in range(6):
        for name in ("one", "two"):
            (tmp_path / f"{name}-{age}").mkdir()
            os.utime(tmp_path / f"{name}-{age}", (1000 - age, 1000 - age))
    assert compiled.prepare(tmp_path / "one-new") == tmp_path / "one-new"
    assert sorted(path.name for path in tmp_path.glob("one-*")) == [
        "one-0",
        "one-1",
        "one-2",
        "one-new",
    ]
    assert len(list(tmp_path.glob("two-*"))) == 6


def test_a_cache_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in the way, a place where nothing can be made: machine code is kept in a temporary
    folder of ours alone, and one warning says which was meant and what to set."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for each in (places.spare, places.warned):
        each.cache_clear()
    ours = tmp_path / f"twin-{os.getuid()}"
    for _ in range(2):
        for bad in (tmp_path / "file", Path("/proc")):
            place = compiled.usable(bad / "kernels" / "ranking-0123")
            assert place == ours / "kernels" / "ranking-0123" and place.is_dir()
    assert ours.stat().st_mode & 0o777 == 0o700
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"warning: machine code of kernels cannot be kept in {tmp_path}/file")
    assert "/proc/kernels" in second and "set NUMBA_CACHE_DIR" in second
    good = compiled.usable(tmp_path / "good" / "kernels" / "ranking-0123")
    assert good.parent.parent == tmp_path / "good" and not capsys.readouterr().err


@pytest.mark.parametrize("how", ["link", "file", "open to others"])
def test_a_temporary_folder_of_others_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """What lies in it is run as code: who prepared a folder of that name must not choose it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    places.spare.cache_clear()
    theirs = tmp_path / f"twin-{os.getuid()}"
    if how == "link":
        (tmp_path / "theirs").mkdir()
        theirs.symlink_to("theirs")
    elif how == "file":
        theirs.touch()
    else:
        theirs.mkdir()
        theirs.chmod(0o777)
    found = places.spare()
    assert found != theirs and found.is_dir() and found.stat().st_mode & 0o777 == 0o700
    places.spare.cache_clear()


def test_a_user_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number: caches lie in the temporary folder."""

    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("TWIN_CACHE", raising=False)
    places.spare.cache_clear()
    assert places.cache_home() == tmp_path / f"twin-{os.getuid()}"
    assert warmed.folder() == tmp_path / f"twin-{os.getuid()}" / "worlds"
    places.spare.cache_clear()
