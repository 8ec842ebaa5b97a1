"""Ready policies of the live page: those that come with twin and the user's own, by name."""

from pathlib import Path

import pytest

from tests.conftest import SCENARIOS
from twin.ground.errors import UsageError
from twin.readers.live import asked, levers, ready
from twin.scenario.describe import dump
from twin.scenario.loading import load

SHIPPED = sorted(path.stem for path in (SCENARIOS / "policies").glob("*.yaml"))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for policies of the user's own, in the current one."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "scenarios" / "policies"
    folder.mkdir(parents=True)
    return folder


def test_own_files_are_offered_and_come_first(own: Path) -> None:
    """Beside what comes with twin; a file that is too long is not read."""
    assert list(ready.ready()) == SHIPPED
    (own / "author_cap.yaml").write_text("# Mine.\nname: mine\nset: {recommender.author_cap: 2}\n")
    (own / "long.yaml").write_text("#" * (ready.LONGEST + 1))
    assert list(ready.ready()) == SHIPPED
    assert ready.ready()["author_cap"].read_text().startswith("# Mine.")


def test_what_each_would_change(own: Path) -> None:
    """In the run's scenario and under the policies in force; a file that is no policy is offered
    without, and the run says why."""
    (own / "broken.yaml").write_text("set: [\n")
    (own / "wrong.yaml").write_text("policies: 7\n")
    (own / "strange.yaml").write_text("set: {recommender.dmi: 4, such.a.thing: 1}\n")
    (own / "half.yaml").write_text("policies: [1, {set: 3}, {share: all, set: {seed: 2}}]\n")
    scenario = load("base", ["policies=[{name: step, at: 0d, set: {recommender.ai_factor: 0.7}}]"])
    (own / "scenario.yaml").write_text(dump(scenario))
    found = {each["name"]: each for each in levers.offered(own, ("step",))["ready"]}
    assert found["demote_ai"]["sets"] == ["recommender.ai_factor: 0.7 -> 0.5"]
    assert found["demote_ai"]["says"].startswith("Posts of AI creators count half. Deezer (2025)")
    assert found["broken"]["sets"] == found["wrong"]["sets"] == []
    assert found["strange"]["sets"] == [
        "recommender.dmi: not in the scenario -> 4",
        "such.a.thing: not in the scenario -> 1",
    ]
    assert found["half"]["sets"] == ["seed: not in the scenario -> 2 (share all)"]
    # where the run's scenario cannot be read
    assert all(not each["sets"] for each in levers.offered(own / "none", ())["ready"])


def test_the_page_names_a_policy_and_no_path(own: Path) -> None:
    """Only what is offered."""
    for name in ("../../secret", "scenarios/policies/author_cap.yaml", "author_cap.yaml"):
        with pytest.raises(UsageError, match="no such ready policy"):
            asked.command_of_page(own, {"do": "intervene", "file": name}, ())
