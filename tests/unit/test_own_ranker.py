"""A scenario's own ranker is found and checked like its mechanisms."""

from pathlib import Path

import pytest
import yaml

from tests.given.rankers import MODULE, write
from twin.ground.errors import ScenarioError
from twin.scenario.describe import digest, dump
from twin.scenario.idle import remarks
from twin.scenario.loading import load
from twin.scenario.schema import json_schema

REFUSED = {
    "no class": (
        "{prior: 3.0}",
        MODULE,
        "ranker: names no class and no address (write ranker: {class:",
    ),
    "a word": ("my.ranker.Newest", MODULE, "ranker: names no class"),
    "no dots": ("{class: Newest}", MODULE, "ranker.class: 'Newest' is not the dotted path"),
    "no module": ("{class: my.rnker.Newest}", MODULE, "(did you mean my.ranker?)"),
    "no such class": ("{class: my.ranker.Newst}", MODULE, "no class Newst (did you mean Newest?)"),
    "no class of that kind": (
        "{class: my.ranker.ByAge}",
        MODULE.replace("import twin\n", "import twin\nfrom pathlib import Path\n", 1),
        "no class ByAge (known: Clicker, Lucky, Newest, Popular, Value)",
    ),
    "no ranker": ("{class: my.ranker.ClickerParams}", MODULE, "is not a ranker (derive the class"),
    "no score": (
        "{class: my.ranker.Newest}",
        MODULE.replace("def score(self, batch):", "def rank(self, batch):"),
        "Newest has no method score (write def score(self, batch)",
    ),
    "no argument": (
        "{class: my.ranker.Newest}",
        MODULE.replace("def score(self, batch):", "def score(self):"),
        "score of Newest does not take what it is given (write def score(self, batch))",
    ),
    "not a method": (
        "{class: my.ranker.Clicker}",
        MODULE.replace("def learn(self, lesson):", "learn = 3\n\n    def other(self, lesson):"),
        "learn of Clicker does not take what it is given",
    ),
    "weighs": (
        "{class: my.ranker.Clicker}",
        MODULE.replace("weighs = True", "weighs = 'yes'"),
        "weighs of Clicker is 'yes' (write True or False)",
    ),
    "params": (
        "{class: my.ranker.Clicker}",
        MODULE.replace("Params = ClickerParams", "Params = 3"),
        "the Params of Clicker are no parameters",
    ),
    "fails": (
        "{class: my.ranker.Newest}",
        MODULE.replace("import numpy as np", "one = 1 / 0"),
        "importing my.ranker fails at my/ranker.py:3: ZeroDivisionError",
    ),
    "parameter": (
        "{class: my.ranker.Clicker, pror: 1.0}",
        MODULE,
        "ranker.pror: no such parameter (did you mean prior?)",
    ),
    "value": (
        "{class: my.ranker.Clicker, share: 2.0}",
        MODULE,
        "ranker.share: 2.0 is out of range (between 0 and 1)",
    ),
    "folder": ("{class: my.ranker.Newest, from: nowhere}", MODULE, "there is no folder nowhere"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is one line with file, line, reason and mend, and brings no other for policies that name
    what the ranker declares."""
    ranker, module, words = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    policy = "policies: [{at: 1d, set: {recommender.ranker.share: 0.5}}]\n"
    path = write(tmp_path, ranker, policy if "Clicker" not in ranker else "", module)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    lines = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    assert len(lines) == 1 and lines[0].startswith("x.yaml:4 recommender.ranker"), lines
    assert words in lines[0], lines


def test_own_is_a_ranking_only_where_there_is_a_ranker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands at `own` unless the scenario says otherwise; without a ranker that is no value."""
    path = write(tmp_path, "{class: my.ranker.Clicker}")
    assert load(path).mechanisms["recommender"].model_dump()["ranking"] == "own"
    value = load(path, ("recommender.ranking=value",)).mechanisms["recommender"].model_dump()
    assert value["ranking"] == "value" and value["ranker"] == {"prior": 5.0, "share": 1.0}
    with pytest.raises(ScenarioError, match="own is not one of"):
        load(write(tmp_path, ""), ("recommender.ranking=own",))
    off = load(path, ("recommender.ranker=null",)).mechanisms["recommender"].model_dump()
    assert off["ranking"] == "value" and "ranker" not in off
    # a flag's module is searched for in the current folder
    monkeypatch.chdir(tmp_path)
    flag = load(write(tmp_path, ""), ("recommender.ranker.class=my.ranker.Newest",))
    assert flag.mechanisms["recommender"].model_dump()["ranking"] == "own"


def test_resolved_scenario_finds_the_ranker_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Class and folder are recorded; from anywhere it loads to the same, with the digest of the
    scenario wherever the code lies."""
    scenario = load(write(tmp_path / "a", "{class: my.ranker.Clicker, prior: 3.0}"))
    assert yaml.safe_load(dump(scenario))["mechanisms"]["recommender"]["ranker"] == {
        "class": "my.ranker.Clicker",
        "from": str(tmp_path / "a"),
        "prior": 3.0,
        "share": 1.0,
    }
    (tmp_path / "resolved.yaml").write_text(dump(scenario))
    monkeypatch.chdir("/")
    again = load(tmp_path / "resolved.yaml")
    other = load(write(tmp_path / "b", "{class: my.ranker.Clicker, prior: 3.0}"))
    assert again == scenario and digest(again) == digest(scenario) == digest(other)
    assert again.outside["recommender.ranker"].code()


def test_what_cannot_act_is_said(tmp_path: Path) -> None:
    """Factors of the value model do nothing under another ranker; rules of a slate may."""
    path = write(tmp_path, "{class: my.ranker.Clicker}")
    found = remarks(load(path, ("recommender.ai_factor=0.5", "recommender.diversity=0.2")))
    assert len(found) == 1 and "ai_factor cannot act while recommender.ranking is own" in found[0]


def test_schema_knows_it(tmp_path: Path) -> None:
    """Editors complete `ranker:`, and its parameters where the class is known."""
    plain = json_schema()["$defs"]["RecommenderParams"]["properties"]
    assert "class" in plain["ranker"]["properties"] and "own" in plain["ranking"]["enum"]
    scenario = load(write(tmp_path, "{class: my.ranker.Clicker}"))
    known = json_schema(scenario.registry)["$defs"]
    assert "prior" in known["ClickerParams"]["properties"]
    assert {"class", "from"} <= set(known["ClickerParams"]["properties"])
