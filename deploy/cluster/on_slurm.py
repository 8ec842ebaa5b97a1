"""A command of twin on workers that dask-jobqueue asks Slurm for: `python on_slurm.py JOBS compare SCENARIO ... --out DIR`.

What a job is stands in jobqueue.yaml. Talk between scheduler and workers is encrypted with keys made for this command, since whoever
reaches a Dask scheduler can run code. Runs where jobs can be submitted and reach back to, until the command has ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from dask_jobqueue import SLURMCluster
from distributed.security import Security


def main(jobs: int, command: list[str]) -> int:
    """Ask for so many jobs, run the command, let the jobs go; its exit status."""
    security = Security.temporary()
    shared = Path.cwd() / ".dask-keys"
    shared.mkdir(mode=0o700, exist_ok=True)
    with (SLURMCluster(protocol="tls", security=security, shared_temp_directory=str(shared)) as cluster,
          tempfile.TemporaryDirectory() as folder):
        cluster.scale(jobs=jobs)
        wanted = {"CA_FILE": security.tls_ca_file, "CLIENT__CERT": security.tls_client_cert, "CLIENT__KEY": security.tls_client_key}
        env = {**os.environ, "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True"}
        for name, text in wanted.items():
            path = Path(folder) / f"{name}.pem"
            path.write_text(str(text))
            path.chmod(0o600)
            env[f"DASK_DISTRIBUTED__COMM__TLS__{name}"] = str(path)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the command's
        return subprocess.run(["twin", *command, "--on", cluster.scheduler_address], env=env, check=False,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
