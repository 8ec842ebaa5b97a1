"""Where experiments keep their files: the same in a folder and in an object store; whole or not at
all; tasks leave the same bytes."""

import io
import uuid
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tests.given.places import KINDS
from twin.experiments.work.store import Store
from twin.ground.errors import UsageError


@pytest.fixture(params=KINDS)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty place of each kind."""
    return {
        "folder": str(tmp_path / "at [1] *"),
        "file": f"file://{tmp_path}/out",
        "memory": f"memory://{uuid.uuid4().hex}/out",
        "server": f"server://{tmp_path}/out",
    }[request.param]


def test_files_are_written_read_listed_and_removed(root: str) -> None:
    """What is written is read again, overwritten, listed without what was work in progress, and
    gone once removed."""
    store = Store(root)
    assert not store.exists("") and not store.exists("a/b.json")
    store.write_json("a/b.json", {"x": 1})
    store.write_json("a/b.json", {"x": [2, None]})
    store.write("manifest.json", b"{}")
    values = np.arange(6.0).reshape(2, 3)
    store.write_array("runs/0/trunk.npy", values)
    again = Store(root)
    assert (
        again.exists("") and again.exists("a") and again.read_json("a/b.json") == {"x": [2, None]}
    )
    assert again.names() == ["a", "manifest.json", "runs"]
    assert again.read_array("runs/0/trunk.npy").tobytes() == values.tobytes()
    assert sorted(path.rpartition("/")[2] for path in again._files.find(again._at(""))) == [
        "b.json",
        "manifest.json",
        "trunk.npy",
    ]
    with again.local("a/b.json") as path:
        assert path.name == "b.json" and path.read_bytes() == store.read("a/b.json")
    again.remove("a")
    again.remove("a")
    assert not store.exists("a/b.json") and store.names() == ["manifest.json", "runs"]
    with pytest.raises(FileNotFoundError):
        store.read("a/b.json")


def test_folders_come_whole(root: str, tmp_path: Path) -> None:
    """A folder is brought there, replaced by another without remains that are read, and is seen as
    a local path."""
    store = Store(root)
    for number in (1, 2):
        with store.new_folder("runs/0.world") as folder:
            folder.mkdir()
            (folder / "manifest.json").write_text(str(number))
            (folder / "x.npy").write_bytes(bytes(number))
    with store.local("runs/0.world") as path:
        assert {each.name: each.read_bytes() for each in path.iterdir()} == {
            "manifest.json": b"2",
            "x.npy": b"\0\0",
        }
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text("3")
    store.put_folder(tmp_path / "other", "runs/1.world")
    assert store.read("runs/1.world/manifest.json") == b"3"


def test_a_folder_that_was_not_finished_is_not_there(root: str) -> None:
    """If its making fails, nothing is left; if a second making does, the first stays."""
    store = Store(root)
    for _ in range(2):
        with pytest.raises(RuntimeError), store.new_folder("a.world") as folder:
            folder.mkdir()
            (folder / "manifest.json").write_text("bad")
            raise RuntimeError
        assert not store.exists("a.world/manifest.json")
    with store.new_folder("a.world") as folder:
        folder.mkdir()
        (folder / "manifest.json").write_text("good")
    with pytest.raises(RuntimeError), store.new_folder("a.world") as folder:
        raise RuntimeError
    assert store.read("a.world/manifest.json") == b"good"
    assert store.names() == ["a.world"]


def test_an_upload_that_breaks_leaves_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere the manifest goes first when a folder is replaced and comes last, so that half a
    folder never looks whole."""
    store = Store(f"memory://{uuid.uuid4().hex}")
    order: list[str] = []
    put = MemoryFileSystem.put_file

    def breaks(self: Any, path: str, target: str, **more: Any) -> None:
        order.append(Path(path).name)
        if len(order) == 6:
            raise OSError("the line is dead")
        put(self, path, target, **more)

    monkeypatch.setattr(MemoryFileSystem, "put_file", breaks)
    for name in ("z.npy", "manifest.json", "a.npy"):
        (tmp_path / name).write_text("old")
    store.put_folder(tmp_path, "w")
    assert order == ["a.npy", "z.npy", "manifest.json"] and store.read("w/manifest.json") == b"old"
    with pytest.raises(OSError, match="the line is dead"):
        store.put_folder(tmp_path, "w")
    assert not store.exists("w/manifest.json")


def test_what_killed_writers_left_is_tidied(tmp_path: Path) -> None:
    """Parts of one result and its world go; those of other results, which may be at work, stay."""
    (tmp_path / "runs" / "1.npy.world.ab.part").mkdir(parents=True)
    for name in ("1.npy.cd.part", "1.npy", "11.npy.cd.part", "1.npy.world.ab.part/x.npy"):
        (tmp_path / "runs" / name).write_text("x")
    store = Store(str(tmp_path))
    store.tidy("runs/1.npy")
    store.tidy("elsewhere/1.npy")
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"1.npy", "11.npy.cd.part"}


def test_what_others_wrote_is_seen(tmp_path: Path) -> None:
    """Listings that a file system keeps are not trusted: a result written by a worker is there at
    once."""
    store = Store(f"server://{tmp_path}/out")
    store.write("a.npy", b"")
    seen: list[bool] = []
    store._files.invalidate_cache = lambda path=None: seen.append(True)
    assert not store.exists("b.npy") and store.names() == ["a.npy"] and len(seen) == 2


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("filee:///x", "fsspec knows no filee:// (did you mean file?)"),
        ("dbfs2://x", "fsspec knows no dbfs2://"),
    ],
)
def test_unknown_places_are_refused_in_a_line(root: str, words: str) -> None:
    """An address that fsspec does not know."""
    with pytest.raises(UsageError) as caught:
        Store(root)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_place_whose_package_is_missing_is_refused_with_the_mend() -> None:
    """An address whose driver is not installed: which package that is."""
    fsspec.register_implementation(
        "sea", "no_such_driver.Files", clobber=True, errtxt="Please install seafs"
    )
    with pytest.raises(UsageError, match="sea://x: cannot be reached: Please install seafs"):
        Store("sea://x")


def test_damaged_arrays_and_tables_are_named(tmp_path: Path) -> None:
    """Whatever their readers raise: one line, with the mend."""
    store, kinds = Store(str(tmp_path)), set()
    store.write_array("a.npy", np.arange(6.0))
    store.write("t.parquet", parquet())
    for name, read, ends in (("a.npy", store.read_array, 128), ("t.parquet", store.read_table, -8)):
        whole = store.read(name)
        for at in range(len(whole))[:ends]:
            store.write(name, whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
            try:
                read(name)
            except UsageError as error:
                kinds.add(name)
                assert f"{name}: is damaged (remove it: twin resume {tmp_path}" in str(error)
    assert kinds == {"a.npy", "t.parquet"}


def parquet() -> bytes:
    """A table."""
    made = io.BytesIO()
    pq.write_table(pa.table({"name": ["a", "b"], "value": [1, 2]}), made)
    return made.getvalue()
