"""Files for Kubernetes and Slurm: valid by the schemas that there are, in step with one another,
run as far as goes without a cluster."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import dask.config
import pytest
import yaml
from distributed.cli import dask_scheduler, dask_worker

from tests.conftest import PATIENCE_S, ROOT, twin
from tests.e2e.comparing import Place
from twin.cli import cli

CLUSTER = ROOT / "deploy" / "cluster"
THREADS = {f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    """The plain manifests by kind and name."""
    kustomization = yaml.safe_load((CLUSTER / "kubernetes" / "kustomization.yaml").read_text())
    found = [
        each
        for name in kustomization["resources"]
        for each in yaml.safe_load_all((CLUSTER / "kubernetes" / name).read_text())
    ]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def operated() -> dict[str, Any]:
    """The DaskCluster."""
    found: dict[str, Any] = yaml.safe_load((CLUSTER / "dask-kubernetes.yaml").read_text())
    return found


def pods() -> dict[str, dict[str, Any]]:
    """Specs of all pods."""
    plain = {
        name: each["spec"]["template"]["spec"]
        for (_, name), each in objects().items()
        if "template" in each.get("spec", {})
    }
    spec = operated()["spec"]
    return {
        **plain,
        "operated scheduler": spec["scheduler"]["spec"],
        "operated worker": spec["worker"]["spec"],
    }


def wrapped(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}


def test_kubernetes_objects_are_valid() -> None:
    """Plain objects, and the pods and the Service inside the DaskCluster, against the schemas of an
    older and the newest Kubernetes."""
    validate = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes_validate: install the development dependencies"
    )
    spec = operated()["spec"]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "x"},
        "spec": spec["scheduler"]["service"],
    }
    checked = [*objects().values(), *map(wrapped, pods().values()), service]
    for each in checked:
        for version in ("1.31", validate.latest_version()):
            validate.validate(each, version, strict=True)
    with pytest.raises(validate.ValidationError):
        validate.validate(
            wrapped({**spec["worker"]["spec"], "containers": [{}]}), "1.31", strict=True
        )


def test_a_dask_cluster_has_the_form_of_the_operators_resource() -> None:
    """What the resource of dask-kubernetes requires and allows."""
    found = operated()
    assert (found["apiVersion"], found["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    assert set(found["spec"]) == {"worker", "scheduler"}
    assert set(found["spec"]["worker"]) == {"replicas", "spec"} and set(
        found["spec"]["scheduler"]
    ) == {"spec", "service"}
    assert found["spec"]["scheduler"]["service"]["selector"] == {
        "dask.org/cluster-name": found["metadata"]["name"],
        "dask.org/component": "scheduler",
    }


def test_what_pods_need_is_there_and_they_are_confined() -> None:
    """Claims and ports exist, selectors match, nobody else is let in; no root, no privilege, no
    token; one thread per worker."""
    plain = objects()
    for name, spec in pods().items():
        (container,) = spec["containers"]
        assert (
            spec["securityContext"]["runAsNonRoot"] is True
            and spec["automountServiceAccountToken"] is False
        ), name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            volume["name"] for volume in spec["volumes"]
        }
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                claim = plain["PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]]
                assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
        variables = {each["name"]: each["value"] for each in container["env"]}
        assert name.endswith("scheduler") or all(variables[thread] == "1" for thread in THREADS)
    for name in ("scheduler", "worker", "compare"):
        kind = "Job" if name == "compare" else "Deployment"
        labels = plain[kind, name]["spec"]["template"]["metadata"]["labels"]
        assert plain["NetworkPolicy", name]["spec"]["podSelector"]["matchLabels"] == labels
        assert kind == "Job" or plain[kind, name]["spec"]["selector"]["matchLabels"] == labels
    service = plain["Service", "scheduler"]["spec"]
    assert service.get("type", "ClusterIP") == "ClusterIP"
    assert (
        service["selector"]
        == plain["Deployment", "scheduler"]["spec"]["template"]["metadata"]["labels"]
    )
    assert pods()["scheduler"]["containers"][0]["ports"] == [
        {"name": service["ports"][0]["targetPort"], "containerPort": 8786}
    ]


def test_the_operators_pods_are_the_plain_ones() -> None:
    """The two ways run the same, but for who tells a worker its name and its scheduler."""
    found = pods()
    assert found["operated scheduler"] == found["scheduler"]
    plain, other = found["worker"]["containers"][0], found["operated worker"]["containers"][0]
    assert {**plain, "command": None} == {**other, "command": None}
    assert [word for word in plain["command"] if not word.startswith("tcp:")] == other["command"][
        :-2
    ]
    assert other["command"][-2:] == ["--name", "$(DASK_WORKER_NAME)"]


def commands() -> list[list[str]]:
    """All command lines of dask and twin in these files."""
    script = re.sub(r"\\\n\s*", "", (CLUSTER / "slurm.sbatch").read_text())
    found = [spec["containers"][0]["command"] for spec in pods().values()]
    for line in script.splitlines():
        words = shlex.split(line, comments=True)
        if "dask" in words:
            found.append(words[words.index("dask") : -1])
    return found


def test_every_flag_exists() -> None:
    """Flags of dask and twin in these files are flags of the versions that are installed."""
    seen = set()
    for words in commands():
        program = (
            {"scheduler": dask_scheduler.main, "worker": dask_worker.main}[words[1]]
            if words[0] == "dask"
            else cli.get_command(click.Context(cli), words[1])
        )
        assert program is not None, words
        known = {
            flag
            for parameter in program.params
            for flag in (*parameter.opts, *parameter.secondary_opts)
        }
        for flag in words[2:]:
            if flag.startswith("--"):
                assert flag.partition("=")[0] in known, (words, flag)
        seen.add(tuple(words[:2]))
    assert seen == {("dask", "scheduler"), ("dask", "worker"), ("twin", "compare")}
    assert len(commands()) == 7


def test_the_job_calls_the_scheduler_and_files_that_are_there() -> None:
    """The Job's scenario and policies are in the image, its folder is on the shared volume."""
    command = pods()["compare"]["containers"][0]["command"]
    given = dict(word[2:].split("=", 1) for word in command if word.startswith("--"))
    assert (ROOT / command[2]).is_file() and (ROOT / given["policy"]).is_file()
    assert given["out"].startswith("/shared/")
    port = objects()["Service", "scheduler"]["spec"]["ports"][0]["port"]
    assert (
        given["on"] == f"tcp://scheduler:{port}" == pods()["worker"]["containers"][0]["command"][2]
    )


def test_jobqueue_settings_are_read_by_dask() -> None:
    """Dask reads the file as its configuration; a job is as many processes as cores, of one thread
    each."""
    found = dask.config.collect(paths=[str(CLUSTER)], env={})["jobqueue"]["slurm"]
    assert found["cores"] == found["processes"] == 8
    assert all(f"{thread}=1" in found["job-script-prologue"][0] for thread in THREADS)
    known = {
        flag
        for parameter in dask_worker.main.params
        for flag in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {word for word in found["worker-extra-args"] if word.startswith("--")} <= known
    compile((CLUSTER / "on_slurm.py").read_text(), "on_slurm.py", "exec")


SRUN = """#!/bin/bash
# Slurm's srun as far as it matters here: the command, once per task, ended together.
for word; do case "$word" in --ntasks=*) tasks=${word#*=}; shift;; --*) shift;; *) break;; esac; done
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 0' TERM
for ((task = 0; task < tasks; task++)); do "$@" & done
wait
"""


def test_the_batch_script_runs(tmp_path: Path) -> None:
    """By bash, with two workers under a stand-in for srun and everything else real: encrypted, the
    bytes of a local run, no remains."""
    place = Place(tmp_path)
    twin(*place.command("local:2", out="here", replicates=2), "--quiet", cwd=tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {
        "srun": SRUN,
        "dask": f'#!/bin/sh\nexec {sys.executable} -m dask "$@"\n',
        "twin": f'#!/bin/sh\nexec {sys.executable} -m twin "$@"\n',
        "python": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "SLURM_NTASKS": "2",
        "SLURM_JOB_ID": "17",
        "SLURM_SUBMIT_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run(["bash", "-n", CLUSTER / "slurm.sbatch"], check=True)
    command = place.command("", out="there", replicates=2)
    command[command.index("--on") : command.index("--on") + 2] = []
    done = subprocess.run(
        [CLUSTER / "slurm.sbatch", *command],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert place.tables("there") == place.tables("here")
    assert "on 2 workers" in done.stdout and re.search(r"Scheduler at: +tls://", done.stderr)
    assert not list(tmp_path.glob(".twin-17-*")), "the key is gone"
    assert subprocess.run([CLUSTER / "slurm.sbatch"], env=env, capture_output=True).returncode == 2


def test_the_batch_script_asks_slurm_for_what_it_uses() -> None:
    """A core per worker, and a signal in good time."""
    asked = dict(
        re.findall(r"^#SBATCH --([a-z-]+)=(\S+)", (CLUSTER / "slurm.sbatch").read_text(), re.M)
    )
    assert (
        asked["cpus-per-task"] == "1"
        and asked["signal"].startswith("B:INT@")
        and int(asked["signal"].partition("@")[2]) >= 60
    )
