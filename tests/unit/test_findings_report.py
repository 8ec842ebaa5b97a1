"""The report and the scoreboard of findings, on readings that nobody simulated."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.given import findings as given
from twin.experiments import page
from twin.experiments.findings import above, design, report
from twin.experiments.findings.catalogue import KEYS, finding
from twin.experiments.findings.kit.judging import settled
from twin.experiments.findings.kit.verdicts import changes, controls_of, standings, undecided
from twin.experiments.findings.scoreboard import Judged, lines, scoreboard, shown

MANIFEST = {
    "args": {"quick": True, "keys": list(KEYS)},
    "seed": 7,
    "runs": 12,
    "wall_s": 61.0,
    "versions": {"twin": "0.0"},
    "scenario_digest": "0" * 64,
}
EXPERIMENT = SimpleNamespace(manifest=MANIFEST, scenario=SimpleNamespace(seed=7))


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    """Every finding on noise, judged as the command judges it."""
    parts = given.examined()
    made = []
    for key in KEYS[:-1]:
        own = [each for each in parts if each.finding == key]
        made.append(Judged(finding(key), settled(given.claims(own)), own))
    return [*made, Judged(above.FINDING, settled(above.judge(parts)), parts)]


@pytest.fixture(scope="module")
def shown_on_page(judged: list[Judged]) -> list[Judged]:
    """Two findings, one of them F8: Bokeh takes a second for ten pictures."""
    return [judged[2], judged[-1]]


@pytest.fixture(scope="module")
def html(shown_on_page: list[Judged]) -> str:
    """The report."""
    return page.render(report.made(EXPERIMENT, shown_on_page), "scenario: text", MANIFEST)


def plain(text: str) -> str:
    """Text as it stands in HTML."""
    for sign, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ("'", "#39"), ('"', "#34")):
        text = text.replace(sign, f"&{name};")
    return text


def test_the_scoreboard_shows_verdicts_sizes_controls_and_power(judged):
    table = scoreboard(EXPERIMENT, judged)
    rows = [line for line in table if line.startswith("| F")]
    assert len(rows) == len(judged) and len({line.count(" | ") for line in rows}) == 1
    for each, row in zip(judged, rows, strict=True):
        assert f"**{each.verdict}**" in row
        for claim, result in standings(each.claims):
            assert f"{claim.says}: {shown(claim)}, ±{claim.matters.size:.3g}" in row
            assert f"**{result}**" in row and undecided(claim, each.claims) in row
            assert all(control.says in row for control in controls_of(claim, each.claims))
        assert re.search(r" \| \d+ of \d+ \|$", row)
    assert any("worlds for 80 % power" in row for row in rows)


def test_the_terminal_shows_what_decides(judged):
    said = "\n".join(lines(judged))
    for each in judged:
        assert f"{each.finding.key}  {each.verdict.upper()}" in said
        for claim in each.claims:
            of_primary = claim.of in {main.says for main, _ in standings(each.claims)}
            decides = claim.primary or (of_primary and not claim.aside)
            assert (f"{claim.says}: {shown(claim)}" in said) == decides, claim.says


def test_a_reviewer_finds_everything_in_the_section_of_a_finding(shown_on_page, html):
    sections = html.split("<h2 id=")
    for each in shown_on_page:
        (section,) = [text for text in sections if text.startswith(f'"{each.finding.key.lower()}"')]
        assert plain(each.finding.sentence) in section and f"Verdict: {each.verdict}" in section
        primary = standings(each.claims)
        for place, (claim, _) in enumerate(primary):
            # Its picture, and its box in the diagram with what matters and why.
            assert f'id="fig-{each.finding.key.lower()}-primary-{place}"' in section
            diagram = section.split('<div class="design">')[1].split("<figure")[0]
            assert plain(claim.says) in diagram and plain(claim.matters.why) in diagram
            for control in controls_of(claim, each.claims):
                assert plain(control.says) in diagram
        assert all(
            plain(f"What would change it: {line}") in section for line in changes(each.claims)
        )
        # The table has every claim, whatever its role.
        assert all(plain(claim.says) in section for claim in each.claims)


def test_the_scoreboard_of_the_page_has_a_row_for_each_primary_claim(shown_on_page, html):
    (section,) = [text for text in html.split("<h2 id=") if text.startswith('"scoreboard"')]
    body = section.split("<tbody>")[1].split("</tbody>")[0]
    assert body.count("<tr>") == sum(len(standings(each.claims)) for each in shown_on_page)


def test_text_of_a_diagram_is_escaped(judged):
    first = judged[0]
    bad = [
        claim if not claim.primary else replace(claim, says="<b>x</b>") for claim in first.claims
    ]
    made = str(design.diagram(bad, first.parts))
    assert "<b>x</b>" not in made and "&lt;b&gt;x&lt;/b&gt;" in made
