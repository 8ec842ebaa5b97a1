"""Places where experiments keep files, one of each kind; `server` renames onto no file."""

from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


class Server(LocalFileSystem):
    """A file system over a network that is no object store, and that renames onto no file, as SFTP
    does."""

    protocol = "server"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(LocalFileSystem._strip_protocol(str(path).removeprefix("server://")))

    def mv(self, path1: str, path2: str, **more: Any) -> None:
        """Rename."""
        if Path(path2).exists():
            raise OSError("there is a file")
        Path(path1).rename(path2)


fsspec.register_implementation("server", Server, clobber=True)
KINDS = ("folder", "file", "memory", "server")
