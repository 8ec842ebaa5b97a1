"""What a comparison found, in words, as a file in its folder: for readers that know runs and no
experiments, such as the live page.

``verdicts.json``: a list of policies, each with its rows by side and, within one, in the order in
which reports name series (`Found`, `Verdict`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

NAME = "verdicts.json"


@dataclass(frozen=True)
class Verdict:
    """What is known of one series: its side and name, means without the policy and with it, the
    change with its interval, how sure that is (``standing``), ``good``, ``bad`` or ``flat`` for its
    side (``tone``), and what else should be known (``note``). All but side and tone as people read
    it."""

    side: str
    title: str
    before: str
    after: str
    change: str
    interval: str
    standing: str
    tone: str
    note: str = ""


@dataclass(frozen=True)
class Found:
    """What a policy does to both sides; ``lead`` says how many series differ, ``note`` how to read
    a row."""

    policy: str
    describe: str
    lead: str
    note: str
    rows: tuple[Verdict, ...]


def plain(found: Sequence[Found]) -> list[dict[str, Any]]:
    """As it is written."""
    return [asdict(each) for each in found]


def read(folder: Path) -> list[dict[str, Any]]:
    """As it was written; nothing where there is nothing that can be read."""
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []
