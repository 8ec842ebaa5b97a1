"""``python -m tests.campaign fuzz | kill | disk --minutes N [--seed S] [--surface NAME]``."""

from __future__ import annotations

import argparse
import sys

from tests.campaign import disk, fuzz, kill
from tests.campaign.surfaces import SURFACES


def main() -> int:
    """Status 0 if nothing failed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("campaign", choices=["fuzz", "kill", "disk"])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--surface", choices=list(SURFACES), action="append")
    given = parser.parse_args()
    found: fuzz.Found | kill.Killed | disk.Filled
    if given.campaign == "fuzz":
        surfaces = given.surface or list(SURFACES)
        found = fuzz.campaign(given.seed, surfaces, minutes=given.minutes)
    elif given.campaign == "kill":
        found = kill.campaign(given.seed, minutes=given.minutes)
    else:
        found = disk.campaign(given.seed, minutes=given.minutes)
    for line in found.lines():
        print(line)
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(main())
