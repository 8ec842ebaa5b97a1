"""What the twin is fitted to and what judges it share nothing, and nothing that fits may read what
judges (DESIGN D16)."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import networkx as nx
import pytest

import twin
from tests import house
from tests.conftest import SCENARIOS
from twin.experiments.findings import catalogue as findings
from twin.experiments.fitting import evidence, response_fit
from twin.experiments.fitting import makers as fit_makers
from twin.experiments.forecasts import catalogue, truths
from twin.ground.errors import UsageError
from twin.scenario.describe import describe
from twin.scenario.loading import load

ROOT = Path(twin.__file__).parent
OWN = ROOT / "experiments" / "fitting" / "evidence.py"
DESIGNS = ROOT / "experiments" / "forecasts" / "registry"
"""Designs of field experiments, one file each; without results."""
BLIND = re.compile(r"(?<![A-Za-z0-9])(E0[7-9]|E1[0-2]|R[1-4])(?![A-Za-z0-9])")


def names_what_judges(source: str) -> bool:
    """Whether Python code names a blind experiment in a string, or the list of them."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and BLIND.search(node.value)
        ):
            return True
        if "JUDGING" in (
            getattr(node, "id", ""),
            getattr(node, "attr", ""),
            getattr(node, "name", ""),
        ):
            return True
    return False


def test_lists_are_disjoint_and_without_repeats() -> None:
    """No study is in both lists; an outcome of a study (E01.O1) counts as the study."""
    fitting = [each.id for each in evidence.FITTING]
    assert len(set(fitting)) == len(fitting) and len(set(evidence.JUDGING)) == len(evidence.JUDGING)
    assert not {id.partition(".")[0] for id in fitting} & set(evidence.JUDGING)
    assert set(evidence.JUDGING) == {f"E{n:02d}" for n in range(7, 13)} | {
        f"R{n}" for n in range(1, 5)
    }


def test_what_judges_is_held_by_id_alone() -> None:
    """No outcome can be kept for it: the list holds ids, and no text about them is in the file."""
    assert all(isinstance(each, str) and len(each) <= 3 for each in evidence.JUDGING)
    held = {
        value
        for each in evidence.FITTING
        for field in fields(each)
        if isinstance(value := getattr(each, field.name), str)
    }
    assert not [text for text in held if BLIND.search(text)]


def test_nothing_else_in_the_package_names_what_judges() -> None:
    """So nothing that fits can read it. The check itself finds what it should. Only the file of a
    blind experiment's own design names it."""
    assert names_what_judges("x = evidence.JUDGING") and names_what_judges(
        "from evidence import JUDGING"
    )
    assert (
        names_what_judges("sized('E07')")
        and names_what_judges("sized('R4.O1')")
        and not names_what_judges("sized('E01.O1')")
    )
    assert names_what_judges(OWN.read_text())
    designs = [DESIGNS / f"{id.lower()}.py" for id in evidence.JUDGING]
    assert not [
        path.name
        for path in sorted(ROOT.rglob("*.py"))
        if path not in (OWN, *designs) and names_what_judges(path.read_text())
    ]
    assert all(path.exists() and names_what_judges(path.read_text()) for path in designs)


def test_nothing_that_fits_reads_designs_or_results() -> None:
    """What parameters are fitted to is in `evidence` alone: no file below `fitting`, and none that
    a world is made of, imports the registry, and only the commands for forecasts do."""
    known = house.graph(house.files())
    readers = {
        here
        for here, there in known.edges
        if there.startswith("twin.experiments.forecasts")
        and not here.startswith("twin.experiments.forecasts")
    }
    assert readers == {"twin.cli.forecasts"}
    fitting = {name for name in known if name.startswith("twin.experiments.fitting")}
    assert fitting
    for name in fitting:
        reached = nx.descendants(known, name)
        assert not [each for each in reached if each.startswith("twin.experiments.forecasts")]


def test_registry_and_lists_of_evidence_agree() -> None:
    """Blind experiments and reserves are what judges; what is fitted to is of the others; and
    results are held of the others alone, with the sizes that fitting uses."""
    status = {id: catalogue.experiment(id).status for id in catalogue.IDS}
    blind = {id for id, each in status.items() if each in ("blind", "reserve")}
    assert blind == set(evidence.JUDGING)
    assert set(truths.DEVELOPMENT) == set(status) - blind
    fitted = {each.id: each for each in evidence.FITTING if each.id.partition(".")[0] in status}
    assert fitted and not {id.partition(".")[0] for id in fitted} & blind
    for id, each in fitted.items():
        study, _, outcome = id.partition(".")
        truth = truths.DEVELOPMENT[study][outcome]
        assert (each.value is not None) == truth.sized
        assert each.value is None or each.value == truth.y
    for id in catalogue.IDS:
        for outcome in catalogue.experiment(id).outcomes:
            assert not {name.partition(".")[0] for name, _ in outcome.nearest} & blind


def test_an_outcome_that_was_fitted_to_is_in_sample() -> None:
    """Where an experiment is none as a whole, exactly those outcomes of it are that a script fits
    to, by the numbers that are held as its results."""
    marked = {
        f"{id}.{outcome.id}"
        for id in catalogue.IDS
        for outcome in catalogue.experiment(id).outcomes
        if outcome.in_sample
    }
    used = {
        each.id
        for each in evidence.FITTING
        if each.fitted_by and each.id.partition(".")[0] in catalogue.IDS
    }
    assert marked == used == {"E01.O1", "E01.O2"}
    aims = dict(zip([each.id for each in response_fit.TARGETS], response_fit.aims(), strict=True))
    for name in used:
        study, _, outcome = name.partition(".")
        assert catalogue.experiment(study).status == "development"
        assert aims[name] == truths.DEVELOPMENT[study][outcome].y


STUDY = re.compile(r"^([A-Z][\w'-]+)|\b(\d{4}\.\d{4,5})\b|\b((?:19|20)\d\d)\b")


def study(source: str) -> tuple[str, str]:
    """First author, and year or number, of a source."""
    found = [match.group(0) for match in STUDY.finditer(source)]
    return (found[0], found[1]) if len(found) > 1 else (source, "")


IN_SAMPLE = {
    # votes: F1 reports them beside its claims
    "ratings.votes.up_rate",
    "ratings.votes.down_rate",
    "ratings.votes.herd_up",
    # no effect of assignment: F7 reports it beside its claims
    "chatbots.wellbeing.use_effect",
    "chatbots.wellbeing.use_window",
}
"""Parameters whose size was taken from a study that is also the source of a finding."""


def test_no_parameter_is_fitted_to_what_a_finding_is_judged_by() -> None:
    """No script fits to the source of a finding; whoever takes a size from one by hand is known,
    and only reported outcomes rest on it. Signs, forms and published settings are no sizes."""
    judged = {study(text) for key in findings.KEYS for text in findings.finding(key).sources}
    assert ("Muchnik", "2013") in judged and ("Milli", "2025") not in judged
    assert not {study(each.source) for each in evidence.FITTING} & judged
    authors = {name for name, year in judged if year and name[0].isalpha()} - {
        "Oliver",
        "Liu",
        "DeGroot",
        "Barreto",
    }
    taken = set()
    for row in describe(load(SCENARIOS / "everything.yaml")):
        source = str(row.source)
        named = any(re.search(rf"\b{re.escape(name)}\b", source) for name in authors)
        if named and not re.search(r"\bsign:|size assumed|reward model", source):
            taken.add(row.path)
    assert taken == IN_SAMPLE


@pytest.mark.parametrize("id", [*evidence.JUDGING, "E10.O1"])
def test_a_judging_id_is_refused(id: str) -> None:
    with pytest.raises(UsageError, match="nothing may be fitted"):
        evidence.sized(id)


def test_unknown_ids_and_effects_without_a_size_are_refused() -> None:
    with pytest.raises(UsageError, match="rathje_2021"):
        evidence.sized("rathje_2022")
    with pytest.raises(UsageError, match="no size"):
        evidence.sized("E01.O3")


def test_every_target_is_declared_for_the_script_that_fits_it() -> None:
    """In both directions, so that the list says truly what was used; and what is not used says
    why."""
    assert [target.id for target in response_fit.TARGETS] == [
        each.id for each in evidence.fitted_by("responses")
    ]
    assert evidence.sized(evidence.fitted_by("makers")[0].id) == fit_makers.PUBLISHED
    assert all(bool(each.fitted_by) != bool(each.why) for each in evidence.FITTING)
    for each in evidence.FITTING:
        assert all(
            (ROOT / "experiments" / "fitting" / f"{module}.py").exists()
            for module in each.fitted_by
        )


def test_imputed_errors_follow_the_rule() -> None:
    """A quarter of the effect, for what `responses` fits to."""
    for each in evidence.fitted_by("responses"):
        assert (
            each.imputed
            and each.value is not None
            and each.se == pytest.approx(abs(each.value) / 4)
        )
