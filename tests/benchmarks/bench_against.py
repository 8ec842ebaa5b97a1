"""Today's code against another revision's: `python -m tests.benchmarks.bench_against REVISION
[--what quickstart] [--rounds 5]`.

The other revision is checked out beside (git worktree), and whole commands of both are run in turn,
each with its own kernels compiled before anything counts. Prints each round's seconds and ratio,
and the median ratio.

quickstart  twin run scenarios/quickstart.yaml on one thread, and today's also on two
compare     twin compare scenarios/quickstart.yaml, eight replicates
findings    twin findings --quick
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ONE = {f"{name}_NUM_THREADS": "1" for name in ("NUMBA", "OMP", "OPENBLAS", "MKL")}
COMMANDS = {
    "quickstart": ["run", "scenarios/quickstart.yaml"],
    "compare": [
        "compare",
        "scenarios/quickstart.yaml",
        "--policy",
        "scenarios/policies/chronological.yaml@60d",
        "--replicates",
        "8",
        "--set",
        "duration=90d",
        "--set",
        "policies=[]",
    ],
    "findings": ["findings", "--quick"],
}


def seconds(tree: Path, command: list[str], out: Path, threads: int) -> float:
    """How long a command of a tree takes."""
    env = {**os.environ, **ONE, "TWIN_THREADS": str(threads), "PYTHONPATH": str(tree)}
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "twin", *command, "--quiet", "--out", str(out)],
        cwd=tree,
        env=env,
        check=True,
    )
    return time.perf_counter() - begin


def main() -> None:
    """Alternate and print."""
    parser = argparse.ArgumentParser(description="Today's code against another revision's.")
    parser.add_argument("revision")
    parser.add_argument("--what", choices=COMMANDS, default="quickstart")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    command = COMMANDS[asked.what]
    with tempfile.TemporaryDirectory(prefix="twin-") as folder:
        before = Path(folder) / "before"
        subprocess.run(
            ["git", "worktree", "add", "--quiet", "--detach", str(before), asked.revision],
            cwd=ROOT,
            check=True,
        )
        try:
            sides = {"before": (before, 1), "now": (ROOT, 1)}
            if asked.what == "quickstart":
                sides["now, two threads"] = (ROOT, 2)
            warm = [
                "run",
                "scenarios/everything.yaml",
                "--set",
                "audience.initial=300",
                "--set",
                "policies=[]",
                "--set",
                "duration=7d",
            ]
            for name, (tree, threads) in sides.items():
                for k, first in enumerate(
                    (
                        warm,
                        [
                            "run",
                            "scenarios/quickstart.yaml",
                            "--set",
                            "policies=[]",
                            "--set",
                            "duration=2d",
                        ],
                    )
                ):
                    seconds(tree, first, Path(folder) / f"warm {name} {k}", threads)
            rows: list[dict[str, float]] = []
            for number in range(asked.rounds):
                names = list(sides) if number % 2 == 0 else list(sides)[::-1]
                rows.append(
                    {
                        name: seconds(
                            sides[name][0],
                            command,
                            Path(folder) / f"{number} {name}",
                            sides[name][1],
                        )
                        for name in names
                    }
                )
                print(
                    ", ".join(f"{name} {rows[-1][name]:.2f} s" for name in sides)
                    + f"   (load {os.getloadavg()[0]:.1f})",
                    flush=True,
                )
            for name in list(sides)[1:]:
                ratio = statistics.median(row["before"] / row[name] for row in rows)
                print(f"{asked.what}: {name} {ratio:.2f}x as fast as {asked.revision}")
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(before)], cwd=ROOT, check=True
            )


if __name__ == "__main__":
    main()
