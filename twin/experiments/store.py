"""Where an experiment keeps its files: a folder, or any place that fsspec can reach (``s3://bucket/path``).

A file is there whole or not at all, so a task is done if, and only if, its result is there. Worlds (checkpoints) are folders of arrays.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
from numpy.typing import NDArray

from twin.errors import UsageError


class Store:
    """Files under a root, by relative names with ``/``."""

    def __init__(self, root: str) -> None:
        self.root = root if "://" in root else str(Path(root).resolve())
        try:
            self._files, self._base = fsspec.core.url_to_fs(self.root)
        except (ImportError, ValueError) as error:
            raise UsageError(f"{root}: cannot be reached: {error}") from None

    def _at(self, name: str) -> str:
        return f"{self._base.rstrip('/')}/{name}"

    def exists(self, name: str) -> bool:
        """Whether a file or folder is there."""
        return bool(self._files.exists(self._at(name)))

    def names(self) -> list[str]:
        """What lies directly under the root."""
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in self._files.ls(self._base, detail=False))

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole. Two writers of one name write the same bytes, so whoever is last does no harm."""
        target = self._at(name)
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        work = f"{target}.{os.getpid()}.part"
        with self._files.open(work, "wb") as file:
            file.write(data)
        self._files.mv(work, target)

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises FileNotFoundError."""
        with self._files.open(self._at(name), "rb") as file:
            data: bytes = file.read()
        return data

    def write_array(self, name: str, values: NDArray[Any]) -> None:
        """Write an array (.npy)."""
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        self.write(name, buffer.getvalue())

    def read_array(self, name: str) -> NDArray[Any]:
        """Read an array (.npy)."""
        values: NDArray[Any] = np.load(io.BytesIO(self.read(name)), allow_pickle=False)
        return values

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
        """A file or folder as a local path, for reading only: itself, or a copy that lives as long as the block."""
        if self._local:
            yield Path(self._at(name))
            return
        with tempfile.TemporaryDirectory(prefix="twin-") as folder:
            target = Path(folder) / name.rpartition("/")[2]
            self._files.get(self._at(name), str(target), recursive=True)
            yield target

    def put_folder(self, folder: Path, name: str) -> None:
        """Bring a local folder there; it is whole once ``name`` exists on a file system, and once its last file does elsewhere."""
        if self._local:
            target = Path(self._at(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            work = target.with_name(f"{target.name}.{os.getpid()}.part")
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(folder, work)
            shutil.rmtree(target, ignore_errors=True)
            work.rename(target)
            return
        for path in sorted(folder.iterdir(), key=lambda path: path.name == "manifest.json"):
            self._files.makedirs(self._at(name), exist_ok=True)
            self._files.put_file(str(path), self._at(f"{name}/{path.name}"))

    @property
    def _local(self) -> bool:
        return "file" in (self._files.protocol if isinstance(self._files.protocol, tuple) else (self._files.protocol,))
