"""deploy/: what would be started as containers is valid, whole and safe, and a real Prometheus runs
with its very files and flags.

No container engine runs here: images are not built or started. What they would run is: the start
script, Prometheus with compose's flags and configuration, the rules, a scrape and a remote write.
"""

import datetime as dt
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import PATIENCE_S, ROOT, SCENARIOS, settings
from tests.e2e.prometheus import running
from tests.given.ports import free_port
from twin.engine.simulation import Simulation
from twin.readers.health import HEALTH
from twin.record.names import prom_name
from twin.record.results import load_manifest
from twin.scenario.loading import load

DEPLOY = ROOT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RULES = PROMETHEUS / "rules" / "live.yml"
BACKFILL = PROMETHEUS / "backfill" / "simulated.yml"
PINNED = re.compile(r"^[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*$")
FROM_OUTSIDE = ("--config.file", "--storage.tsdb.path", "--web.listen-address")
"""Flags that name places; a test has places of its own."""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def needed(command: str, package: str) -> str:
    if shutil.which(command) is None:
        pytest.skip(f"no {command} on this machine: install Debian's package {package}")
    return command


def compose() -> dict[str, Any]:
    found: dict[str, Any] = read(DEPLOY / "compose.yaml")
    return found


def environment() -> dict[str, str]:
    """Names and values of .env.example."""
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose_config(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """What compose makes of the file, with a .env file as a user would have it."""
    (folder / ".env").write_text(
        "".join(f"{name}={value}\n" for name, value in {**environment(), **env}.items())
    )
    command = [
        needed("docker-compose", "docker-compose"),
        "--project-directory",
        str(DEPLOY),
        "--env-file",
        str(folder / ".env"),
        "-f",
        str(DEPLOY / "compose.yaml"),
        "config",
    ]
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in environment() and name != "PYTHONPATH"
    }
    return subprocess.run(command, capture_output=True, text=True, env=clean, timeout=PATIENCE_S)


def test_compose_reads_the_file_and_starts_nothing_without_a_password(tmp_path: Path) -> None:
    """Compose itself accepts the file against its schema; the example alone, which has no password,
    is refused with the place to set it."""
    refused = compose_config(tmp_path)
    assert refused.returncode != 0
    assert "GRAFANA_ADMIN_PASSWORD" in refused.stderr
    assert "deploy/.env" in refused.stderr
    done = compose_config(
        tmp_path,
        GRAFANA_ADMIN_PASSWORD="chosen",
        GRAFANA_PORT="3210",
        SCENARIO="scenarios/everything.yaml",
    )
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"] == "chosen"
    assert services["twin"]["environment"]["SCENARIO"] == "scenarios/everything.yaml"
    assert "3210" in str(services["grafana"]["ports"])


def test_what_compose_names_is_there_and_nothing_is_open() -> None:
    """Every mount exists, every variable is in the example, every image is pinned, every port is on
    loopback, every service is confined."""
    whole, text = compose(), (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == set(environment())
    assert environment()["GRAFANA_ADMIN_PASSWORD"] == ""
    for name, service in whole["services"].items():
        assert PINNED.match(service["image"]), service["image"]
        assert all(str(port).startswith("127.0.0.1:") for port in service["ports"]), name
        assert (
            service["read_only"]
            and service["cap_drop"] == ["ALL"]
            and service["user"].split(":")[0] != "0"
        ), name
        assert set(service["networks"]) <= set(whole["networks"])
        for file in service.get("env_file", []):
            assert (DEPLOY / file).is_file()
        for volume in service["volumes"]:
            source, _, rest = volume.partition(":")
            assert (
                (DEPLOY / source).exists() and rest.endswith(":ro")
                if "/" in source
                else source in whole["volumes"]
            ), volume
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in whole["services"][other]
    assert "HEALTHCHECK" in (DEPLOY / "Dockerfile").read_text()  # the twin's is in its image


def test_the_image_copies_what_is_there_and_runs_as_nobody_special() -> None:
    """Pinned base, hashes required, no root, and its context holds what it copies and nothing
    else."""
    lines = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text()).splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert bases and all(PINNED.match(base) for base in bases)
    copied = {source for line in lines if line.startswith("COPY") for source in line.split()[1:-1]}
    allowed = {
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)
    assert any("--require-hashes" in line for line in lines)
    assert any("--no-index" in line for line in lines)
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users == [compose()["services"]["twin"]["user"]]
    assert os.access(DEPLOY / "start", os.X_OK)


def expressions(path: Path) -> list[str]:
    return [rule["expr"] for group in read(path)["groups"] for rule in group["rules"]]


def test_rules_are_sound_and_each_alert_was_seen_to_fire_and_not_to_fire() -> None:
    """promtool accepts configuration and rules and runs their unit tests; these cover every alert
    both ways."""
    needed("promtool", "prometheus")
    for arguments in (
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "rules/live.yml", "backfill/simulated.yml"],
        ["test", "rules", "tests/live.yml"],
    ):
        done = subprocess.run(
            ["promtool", *arguments],
            cwd=PROMETHEUS,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    alerts = {
        rule["alert"]
        for group in read(RULES)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    cases = [
        case
        for test in read(PROMETHEUS / "tests" / "live.yml")["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    quiet_beside_it = {"TwinMemoryHigh"}  # its quiet series stands beside the loud one
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {
        case["alertname"] for case in cases if not case.get("exp_alerts")
    } == alerts - quiet_beside_it


def test_rules_ask_for_metrics_that_are_declared() -> None:
    """Every metric in a rule is one of the run's health, of the catalogue, of the server itself, or
    of another rule."""
    catalogued = {
        prom_name(metric)
        for metric in Simulation(load(SCENARIOS / "everything.yaml")).world.board.metrics.values()
    }
    health = {each.prom_name for each in HEALTH}
    scrape = read(PROMETHEUS / "prometheus.yml")["scrape_configs"][0]["metric_relabel_configs"][0]
    chosen = {name for name in catalogued if re.fullmatch(scrape["regex"], name)}
    assert len(chosen) == scrape["regex"].count("|") + 1, (
        "every metric that is kept is in the catalogue"
    )
    now = {name.replace("twin_", "twin_now_", 1) for name in chosen}
    for path, known in ((RULES, health | now), (BACKFILL, catalogued)):
        recorded = {
            rule["record"]
            for group in read(path)["groups"]
            for rule in group["rules"]
            if "record" in rule
        }
        used = {
            name
            for expression in expressions(path)
            for name in re.findall(r"\btwin[_:][\w:]+", expression)
        }
        assert used <= known | recorded


def test_grafana_is_given_its_data_source_and_dashboards() -> None:
    """The uid that dashboards name, at an address that both compose and Kubernetes have; dashboards
    from where they are mounted."""
    source = read(DEPLOY / "grafana/provisioning/datasources/simprom.yaml")["datasources"][0]
    assert (source["uid"], source["type"]) == ("simprom", "prometheus")
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose()["services"]
    assert any(name == ("Service", "prometheus") for name in manifests())
    provider = read(DEPLOY / "grafana/provisioning/dashboards/twin.yaml")["providers"][0]
    mounted = provider["options"]["path"]
    assert f"../dashboards:{mounted}:ro" in compose()["services"]["grafana"]["volumes"]
    assert not any(
        re.search("PASSWORD|TOKEN|SECRET", line)
        for line in (DEPLOY / "grafana/grafana.env").read_text().splitlines()
    )


def kustomized(folder: Path) -> Iterator[dict[str, Any]]:
    """The objects of a kustomization: its resources, and ConfigMaps made of files (names without
    the hash of their content)."""
    made = read(folder / "kustomization.yaml")
    for resource in made.get("resources", []):
        path = folder / resource
        if path.is_dir():
            yield from kustomized(path)
        else:
            yield from yaml.safe_load_all(path.read_text())
    for each in made.get("configMapGenerator", []):
        data = {(folder / file).name: (folder / file).read_text() for file in each.get("files", [])}
        for file in each.get("envs", []):
            data |= dict(
                line.split("=", 1)
                for line in (folder / file).read_text().splitlines()
                if line and line[0] != "#"
            )
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": each["name"]},
            "data": data,
        }


def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (each["kind"], each["metadata"]["name"]): each for each in kustomized(DEPLOY / "kubernetes")
    }


def pods() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, the object and the pod's spec of everything that makes pods."""
    for (kind, name), each in manifests().items():
        if kind in ("Deployment", "StatefulSet", "Job"):
            yield name, each, each["spec"]["template"]["spec"]


def test_kubernetes_objects_are_valid() -> None:
    """Every object is valid by the schemas of the newest and of an older Kubernetes; kubectl, if
    there is one, builds the same ones."""
    validate = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes_validate: install the development dependencies"
    )
    ours = manifests()
    for each in ours.values():
        for version in ("1.31", validate.latest_version()):
            validate.validate(each, version, strict=True)
    if shutil.which("kubectl"):
        done = subprocess.run(
            ["kubectl", "kustomize", str(DEPLOY / "kubernetes")],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        if (
            "unknown field" not in done.stderr
        ):  # Debian 12's kubectl is older than the fields used here
            assert done.returncode == 0, done.stderr
            built = list(yaml.safe_load_all(done.stdout))
            assert {
                (each["kind"], re.sub("-[0-9a-z]{10}$", "", each["metadata"]["name"]))
                for each in built
            } == set(ours)
            for each in built:
                validate.validate(each, validate.latest_version(), strict=True)
                assert (
                    "-" not in each["metadata"]["name"]
                    or each["metadata"].get("namespace", "twin") == "twin"
                )


def test_kubernetes_objects_fit_one_another() -> None:
    """What a pod mounts, reads or is reached by exists; the one thing from outside is the Secret
    that the README makes."""
    objects = manifests()
    secrets = set()
    for name, owner, spec in pods():
        claims = {
            each["metadata"]["name"] for each in owner["spec"].get("volumeClaimTemplates", [])
        }
        volumes = {volume["name"] for volume in spec["volumes"]} | claims
        for volume in spec["volumes"]:
            if made := volume.get("configMap"):
                data = objects["ConfigMap", made["name"]]["data"]
                assert {item["key"] for item in made.get("items", [])} <= set(data)
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in objects
        labels = owner["spec"]["template"]["metadata"]["labels"]
        for container in spec["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            for source in container.get("envFrom", []):
                assert ("ConfigMap", source["configMapRef"]["name"]) in objects
            secrets |= {
                (ref["name"], ref["key"])
                for each in container.get("env", [])
                if (ref := each.get("valueFrom", {}).get("secretKeyRef"))
            }
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            service = objects["Service", name]["spec"]
            assert service["selector"].items() <= labels.items()
            assert service["ports"][0]["targetPort"] in ports
    assert secrets == {("grafana-admin", "password")}
    readme = (DEPLOY / "README.md").read_text()
    assert "create secret generic grafana-admin" in readme
    assert not any(kind == "Secret" for kind, _ in objects)


def test_pods_are_confined() -> None:
    """No root, no privilege, no writable image, no service token; limits, and probes where they
    serve."""
    for name, owner, spec in pods():
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            assert {"startupProbe", "livenessProbe"} <= set(container)
            assert owner["kind"] == "Job" or "readinessProbe" in container


def test_compose_and_kubernetes_run_the_same() -> None:
    """The same images, the same flags of Prometheus, the same variables of the twin, and every
    dashboard in both."""
    services = compose()["services"]
    specs = {name: spec["containers"][0] for name, _, spec in pods()}
    images = {
        each["name"]: each["newTag"]
        for each in read(DEPLOY / "kubernetes/kustomization.yaml")["images"]
    }
    for name, container in specs.items():
        image = container["image"]
        assert services[name]["image"] == (f"{image}:{images[image]}" if image in images else image)
    assert specs["prometheus"]["args"] == services["prometheus"]["command"]
    assert {each["name"] for each in specs["twin"]["env"]} <= set(services["twin"]["environment"])
    listed = read(ROOT / "dashboards" / "kustomization.yaml")["configMapGenerator"][0]["files"]
    assert sorted(listed) == sorted(path.name for path in (ROOT / "dashboards").glob("*.json"))
    assert sum((ROOT / "dashboards" / file).stat().st_size for file in listed) < 2**20, (
        "a ConfigMap holds 1 MiB"
    )


@contextmanager
def start_script(folder: Path, url: str, port: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The image's start script, with the folder as its volume and this program for the installed
    one."""
    program = folder / "twin"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m twin "$@"\n')
    program.chmod(0o755)
    env = {
        **os.environ,
        "TWIN": str(program),
        "RUNS": str(folder / "runs"),
        "SCENARIO": str(SCENARIOS / "base.yaml"),
        "RUN": "one",
        "METRICS": f"127.0.0.1:{port}",
        "REMOTE_WRITE_URL": url,
        "PYTHONPATH": str(ROOT),
    }
    (folder / "runs").mkdir(exist_ok=True)
    with subprocess.Popen(
        [str(DEPLOY / "start"), *more],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Any, seconds: float = PATIENCE_S) -> Any:
    """The condition's first true value; fails after some time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)
    return value


def test_prometheus_with_these_files_and_flags_watches_a_run(tmp_path: Path) -> None:
    """A run by the start script: stopped and started again it goes on; scraped and written by
    remote write; rules work in both times."""
    needed("promtool", "prometheus")
    port, here = free_port(), tmp_path / "prometheus"
    for part in ("rules", "targets", "backfill"):
        shutil.copytree(PROMETHEUS / part, here / part)
    flags = [
        flag
        for flag in compose()["services"]["prometheus"]["command"]
        if not flag.startswith(FROM_OUTSIDE)
    ]
    with running(here, config=(PROMETHEUS / "prometheus.yml").read_text(), storage=flags) as server:
        (here / "targets" / "twin.yml").write_text(
            f'- targets: ["127.0.0.1:{port}"]\n'
        )  # another address, as files of targets are for
        (here / "targets" / "self.yml").write_text(f'- targets: ["127.0.0.1:{server.port}"]\n')
        folder = tmp_path / "runs" / "one"
        with start_script(
            tmp_path, server.write_url, port, *settings(), "--pace", "0.5", "--quiet"
        ) as first:
            until(lambda: server.query("twin_now_creator_human_share > 0", at=time.time()))
            assert server.query("twin_run_progress_ratio < 1", at=time.time())
            until(lambda: server.query("twin:run_seconds_left", at=time.time()))
            first.send_signal(signal.SIGTERM)
            assert first.wait(PATIENCE_S) == 130, first.stdout and first.stdout.read()
        assert load_manifest(folder)["status"] == "interrupted"
        with start_script(tmp_path, server.write_url, port, "--quiet") as second:
            assert second.wait(PATIENCE_S) == 0, second.stdout and second.stdout.read()
        manifest = load_manifest(folder)
        assert manifest["status"] == "done"

        start = dt.datetime.fromisoformat(manifest["start"]).replace(tzinfo=dt.UTC).timestamp()
        label = f'{{run_id="{manifest["run_id"]}"}}'
        arrived = server.samples(f"twin_creator_human_share{label}")
        assert len(arrived) == 1, "one series: the scrape's samples go by another name"
        assert max(next(iter(arrived.values()))) == start + 32 * 86400
        writes = server.query(
            'prometheus_http_requests_total{handler="/api/v1/write"} > 0', at=time.time()
        )
        assert {each["metric"]["code"][0] for each in writes} == {"2"}
        groups = {group["name"] for group in server.get("rules")["groups"]}
        assert groups == {group["name"] for group in read(RULES)["groups"]}
        bad = [
            rule
            for group in server.get("rules")["groups"]
            for rule in group["rules"]
            if rule["health"] == "err"
        ]
        assert not bad

        subprocess.run(
            [
                "promtool",
                "tsdb",
                "create-blocks-from",
                "rules",
                "--max-block-duration=9600h",
                f"--url={server.url}",
                f"--start={start:.0f}",
                f"--end={start + 33 * 86400:.0f}",
                f"--output-dir={server.data}",
                str(here / "backfill" / "simulated.yml"),
            ],
            check=True,
            capture_output=True,
            timeout=PATIENCE_S,
        )
        server.stop()
        server.start()
        for rule in (
            rule["record"] for group in read(BACKFILL)["groups"] for rule in group["rules"]
        ):
            found = server.query(f"{rule}{label}", at=start + 30 * 86400)
            assert len(found) == 1, rule
        assert server.samples(f"twin_creator_human_share{label}") == arrived, (
            "nothing was lost across a restart"
        )
