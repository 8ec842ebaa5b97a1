"""Where an experiment keeps its files: a folder, or any place that fsspec can reach
(``s3://bucket/path``).

A file is there whole or not at all, so a task is done if, and only if, its result is there: on a
file system a file is written beside its name and renamed, in an object store it is put in one
piece. Worlds (checkpoints) are folders of arrays; on a file system a folder is renamed too,
elsewhere it is whole once its ``manifest.json``, which comes last, is there. Writers of one name
write the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.ground import parquet
from twin.ground.errors import UsageError, nearest

MANIFEST, PART = "manifest.json", ".part"
OBJECTS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "oci", "memory"}
"""Protocols of stores in which an object appears whole, and where a rename would be a copy."""


class Store:
    """Files under a root, by relative names with ``/``. ``root`` is absolute, and means the same to
    every process that reaches it."""

    def __init__(self, root: str) -> None:
        try:
            self._files, base = fsspec.core.url_to_fs(
                root if "://" in root else str(Path(root).resolve())
            )
        except ImportError as error:
            raise UsageError(
                f"{root}: cannot be reached: {error} (with pip, on every worker too)"
            ) from None
        except ValueError:
            scheme = root.partition("://")[0]
            raise UsageError(
                f"{root}: fsspec knows no {scheme}:// "
                f"({nearest(scheme, fsspec.available_protocols())})"
            ) from None
        protocols = (
            self._files.protocol
            if isinstance(self._files.protocol, tuple)
            else (self._files.protocol,)
        )
        self._local, self._objects = "file" in protocols, not OBJECTS.isdisjoint(protocols)
        self._base = str(base).rstrip("/")
        self.root = self._base or "/" if self._local else root

    def _at(self, name: str) -> str:
        return f"{self._base}/{name}" if name else self._base or "/"

    def exists(self, name: str) -> bool:
        """Whether a file or folder is there; as others see it, so without the cache."""
        self._files.invalidate_cache()
        return bool(self._files.exists(self._at(name)))

    def names(self) -> list[str]:
        """What lies directly under the root."""
        self._files.invalidate_cache()
        return sorted(
            str(path).rstrip("/").rpartition("/")[2]
            for path in self._files.ls(self._at(""), detail=False)
        )

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole. Two writers of one name write the same bytes, so whoever is last does
        no harm."""
        target = self._at(name)
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        if self._objects:
            self._files.pipe_file(target, data)
            return
        # elsewhere half a file would be visible under its name, hence another name and a rename
        work = _beside(target)
        if self._local:
            with Path(work).open("wb") as file:
                file.write(data)
                file.flush()
                # on disk before it has its name: an empty file after a crash would count as done
                os.fsync(file.fileno())
            Path(work).replace(target)
            return
        self._files.pipe_file(work, data)
        if self._files.exists(target):  # not every server renames onto a file
            self._files.rm_file(target)
        self._files.mv(work, target)

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises FileNotFoundError."""
        data: bytes = self._files.cat_file(self._at(name))
        return data

    def write_array(self, name: str, values: NDArray[Any]) -> None:
        """Write an array (.npy)."""
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        self.write(name, buffer.getvalue())

    def read_array(self, name: str) -> NDArray[Any]:
        """Read an array (.npy). Raises UsageError for a damaged one."""
        data = self.read(name)
        try:
            values: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
        # a header that says something else is evaluated by numpy, which then raises anything
        except Exception:
            raise self._damaged(name) from None
        return values

    def read_table(self, name: str) -> pa.Table:
        """Read a table (.parquet). Raises UsageError for a damaged one."""
        data = pa.BufferReader(self.read(name))
        try:
            return parquet.table(data)
        except parquet.DAMAGED:
            raise self._damaged(name) from None

    def _damaged(self, name: str) -> UsageError:
        return UsageError(
            f"{self._at(name)}: is damaged (remove it: twin resume {self.root} makes it again)"
        )

    def write_json(self, name: str, data: Any) -> None:
        """Write plain data."""
        self.write(name, json.dumps(data, indent=1).encode())

    def read_json(self, name: str) -> Any:
        """Read plain data."""
        return json.loads(self.read(name))

    def remove(self, name: str) -> None:
        """Remove a file or folder, if it is there."""
        if self.exists(name):
            self._files.rm(self._at(name), recursive=True)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """A file or folder as a local path, for reading only: itself, or a copy that lives as long
        as the block."""
        if self._local:
            yield Path(self._at(name))
            return
        with tempfile.TemporaryDirectory(prefix="twin-") as folder:
            target = Path(folder) / name.rpartition("/")[2]
            self._files.invalidate_cache()
            self._files.get(
                self._at(name), str(target), recursive=self._files.isdir(self._at(name))
            )
            yield target

    @contextmanager
    def new_folder(self, name: str) -> Iterator[Path]:
        """A local path at which the block makes a flat folder; it is brought to ``name`` when the
        block ends well."""
        if self._local:
            target = Path(self._at(name))
            work = Path(_beside(str(target)))
            work.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield work
                # a folder cannot be renamed onto one that holds files
                shutil.rmtree(target, ignore_errors=True)
                work.rename(target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            return
        with tempfile.TemporaryDirectory(prefix="twin-") as folder:
            yield Path(folder) / "made"
            self._put(Path(folder) / "made", name)

    def put_folder(self, folder: Path, name: str) -> None:
        """Bring a flat local folder there."""
        with self.new_folder(name) as work:
            shutil.copytree(folder, work)

    def _put(self, folder: Path, name: str) -> None:
        self.remove(f"{name}/{MANIFEST}")  # what is half replaced is not whole
        self._files.makedirs(self._at(name), exist_ok=True)
        # the manifest last: once it is there, the folder is whole
        for path in sorted(folder.iterdir(), key=lambda path: (path.name == MANIFEST, path.name)):
            self._files.put_file(str(path), self._at(f"{name}/{path.name}"))

    def tidy(self, name: str) -> None:
        """Remove what a writer of ``name`` (or ``name.world``) that was killed left beside it."""
        if self._local:
            start, folder = name.rpartition("/")[2] + ".", Path(self._at(name)).parent
            for path in list(folder.iterdir()) if folder.is_dir() else ():
                if path.name.startswith(start) and path.name.endswith(PART):
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _beside(target: str) -> str:
    """A name for work in progress that no other process on any machine uses."""
    return f"{target}.{uuid.uuid4().hex[:12]}{PART}"
