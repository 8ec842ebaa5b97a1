"""What the project is made of: ``python -m tests.supply sbom`` prints the lock as a bill of materials
(CycloneDX 1.6, JSON), ``python -m tests.supply licences`` checks its licences, ``python -m
tests.supply audit`` asks PyPI which known vulnerabilities it has (through pip-audit).

The lock says which packages, versions and hashes; the licence of each is what its installed metadata
says, or ELSEWHERE where it is for another system. A licence outside ALLOWED is a failure.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from tests.conftest import ROOT

LOCK = ROOT / "requirements.lock"
_PINNED = re.compile(
    r"^([\w.-]+)==(\S+)(?: ; ([^\\\n]+?))? ?\\\n((?: +--hash=sha256:\w+(?: \\)?\n?)+)", re.M
)
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Zlib",
}
"""SPDX identifiers of licences under which a program may use and ship a package unchanged."""
WORDS = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
"""What metadata says in place of an identifier."""
ELSEWHERE = {
    "appnope": "BSD-2-Clause",
    "cffi": "MIT",
    "colorama": "BSD-3-Clause",
    "importlib-metadata": "Apache-2.0",
    "lazy-importer": "Apache-2.0",
    "librt": "MIT",
    "pexpect": "ISC",
    "ptyprocess": "ISC",
    "pycparser": "BSD-3-Clause",
    "zipp": "MIT",
}
"""Licences of packages that some systems and Pythons do without."""


@dataclass(frozen=True)
class Package:
    """One pinned package; ``licence`` is an SPDX expression, or what the metadata says, or
    empty."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    licence: str

    @property
    def allowed(self) -> bool:
        """Whether every part of its licence is allowed, or one of those that may be chosen."""
        return any(
            all(part.strip(" ()") in ALLOWED for part in either.split(" AND "))
            for either in self.licence.split(" OR ")
        )


def packages(text: str) -> Iterator[Package]:
    """The packages of a lock. A version for another Python has the licence of the installed one."""
    for name, version, marker, hashes in _PINNED.findall(text):
        yield Package(
            name, version, marker, tuple(re.findall(r"sha256:(\w+)", hashes)), licence(name)
        )


def licence(name: str) -> str:
    """Of a package, in SPDX's words where they are known."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ELSEWHERE.get(name, "")
    listed = [
        each.rpartition(" :: ")[2]
        for each in about.get_all("Classifier") or []
        if each.startswith("License ::")
    ]
    said = about.get("License-Expression") or " AND ".join(map(_identifier, listed))
    return said or _identifier(about.get("License") or "")


def _identifier(words: str) -> str:
    return WORDS.get(words.strip().lower(), words.strip().partition("\n")[0])


def bill(text: str, name: str = "twin", version: str = "0") -> dict[str, Any]:
    """The bill of materials of a lock; the same bytes for the same lock."""
    found = list(packages(text))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # of its content, so that it is the same wherever it is made
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, text)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [_component(each) for each in found],
        "dependencies": [{"ref": name, "dependsOn": [_purl(each) for each in found]}],
    }


def _purl(package: Package) -> str:
    version = package.version.replace("!", "%21")
    return f"pkg:pypi/{package.name.lower().replace('_', '-')}@{version}"


def _component(package: Package) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(package),
        "name": package.name,
        "version": package.version,
        "purl": _purl(package),
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{package.name}/{package.version}/",
                "hashes": [{"alg": "SHA-256", "content": each} for each in package.hashes],
            }
        ],
    }
    if package.licence:
        made["licenses"] = [{"expression": package.licence}]
    if package.marker:
        made["properties"] = [{"name": "twin:marker", "value": package.marker}]
    return made


def audited(answer: dict[str, Any]) -> tuple[list[str], list[str], int]:
    """Of pip-audit's answer: a line for each known vulnerability, the packages of which nothing
    could be learnt, and how many were looked at."""
    found, unknown, known = [], [], 0
    for each in answer["dependencies"]:
        if "skip_reason" in each:
            unknown.append(each["name"])
            continue
        known += 1
        for one in each["vulns"]:
            mend = ", ".join(one["fix_versions"]) or "no version without it is known"
            found.append(f"{each['name']} {each['version']}: {one['id']} (mended in: {mend})")
    return found, unknown, known


def audit() -> int:
    """Status 1 where a vulnerability is known, 2 without pip-audit, 3 where nothing was to be
    learnt."""
    command = shutil.which("pip-audit")
    if command is None:
        print("pip-audit is not installed (pip install pip-audit)", file=sys.stderr)
        return 2
    asked = [command, "--requirement", str(LOCK), "--disable-pip", "--format", "json"]
    done = subprocess.run(
        [*asked, "--progress-spinner", "off"], capture_output=True, text=True, encoding="utf-8"
    )
    try:
        found, unknown, known = audited(json.loads(done.stdout))
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        print(f"pip-audit gave no answer: {last[0]}", file=sys.stderr)
        return 3
    print("\n".join([*found, f"{known} packages audited, {len(found)} known vulnerabilities"]))
    if unknown:
        print(f"NOT AUDITED, as PyPI's data could not be reached: {len(unknown)} packages")
    return 1 if found else 3 if unknown else 0


def main(arguments: list[str]) -> int:
    """Status 1 if a licence is not allowed, or a vulnerability is known."""
    if arguments == ["audit"]:
        return audit()
    text = LOCK.read_text(encoding="utf-8")
    if arguments == ["sbom"]:
        print(json.dumps(bill(text, version=metadata.version("twin")), indent=1))
        return 0
    if arguments != ["licences"]:
        print("usage: python -m tests.supply sbom | licences | audit", file=sys.stderr)
        return 2
    found = list(packages(text))
    bad = [each for each in found if not each.allowed]
    for each in bad:
        print(f"{each.name} {each.version}: {each.licence or 'no licence is known'}")
    print(f"{len(found)} packages, {len(bad)} whose licence is not allowed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
