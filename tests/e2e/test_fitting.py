"""The fit of responses as a user calls it, on worlds so small that only the way there is tested."""

import pytest
import yaml
from click.testing import CliRunner

from tests.conftest import SCENARIOS
from twin.experiments.fitting import evidence, meetings, response_fit
from twin.experiments.fitting.responses import main
from twin.scenario.loading import load

ASKED = ("--people", "300", "--burn-in", "3", "--days", "2", "--replicates", "1", "--rounds", "1")


def test_fit_of_responses_from_end_to_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The printed block loads on top of the scenario that was fitted and holds what the report
    says; run twice, it is the same."""
    chosen = ("responses.click.arousal", "responses.reshare.arousal", "responses.report.agreement")
    monkeypatch.setattr(
        response_fit, "PARAMETERS", {name: response_fit.PARAMETERS[name] for name in chosen}
    )
    base = tmp_path_factory.mktemp("fitted") / "base.yaml"
    base.write_text(
        f"extends: {SCENARIOS / 'base.yaml'}\nmechanisms:\n  recommender: {{refresh: 30min}}\n"
    )
    path = str(base)
    done, again = (CliRunner().invoke(main, [path, *ASKED]) for _ in range(2))
    assert done.exit_code == 0, done.output
    assert done.stdout == again.stdout
    for target in evidence.fitted_by("responses"):
        assert target.id in done.stderr
    assert "run 4 of 4" in done.stderr and "round 1" in done.stderr
    rows = {
        line.split()[0]: line for line in done.stderr.splitlines() if line.startswith("responses.")
    }
    assert sorted(rows) == sorted(chosen) and "not identified" in rows["responses.report.agreement"]
    assert "not identified" not in rows["responses.reshare.arousal"]
    block = yaml.safe_load(done.stdout)
    responses = block["mechanisms"]["audience"]["responses"]
    assert set(responses) == set(meetings.NAMES) and all(
        "intercept" in each for each in responses.values()
    )
    file = base.with_name("fitted.yaml")
    file.write_text(f"extends: {base.name}\n{done.stdout}")
    fitted = load(file).mechanisms["audience"].responses  # type: ignore[attr-defined]
    for name in chosen:
        _, response, feature = name.split(".")
        assert getattr(getattr(fitted, response), feature) == responses[response][feature]
        assert float(rows[name].split()[3]) == pytest.approx(responses[response][feature])
