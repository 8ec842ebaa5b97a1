"""Marks of plain data: the same in every process and on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def sha(data: Any, length: int = 64) -> str:
    """The first ``length`` hexadecimal digits of the SHA-256 of data as JSON with sorted keys."""
    # Python's own hash differs between processes
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:length]
