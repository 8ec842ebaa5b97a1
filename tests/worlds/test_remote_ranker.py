"""A ranker behind HTTP, asked of a real service in a process of its own: its bytes, its faults, the
record of its answers."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import ROOT, SMALL, history, twin
from tests.given.inside import called
from tests.given.ports import free_port
from tests.given.ranker_service import service
from tests.given.rankers import ranked, write
from tests.worlds.shared import same_state
from twin.engine.simulation import Simulation
from twin.ground.errors import Foreign, ScenarioError, Stopped
from twin.ground.units import DAY
from twin.ranking.answers import NAME, Answer, Answers
from twin.running import drive
from twin.scenario.loading import Scenario, load
from twin.world.checkpoint import latest

ASIDE = ("recommender.ranker.", "recommender.rules")


def asking(folder: Path, url: str, *sets: str, more: str = "", days: int = 3) -> Scenario:
    """The small world with a ranker at an address."""
    path = write(folder, f"{{url: '{url}'{more}}}")
    return load(path, (*SMALL, f"duration={days}d", *sets))


@pytest.fixture(scope="module")
def by_age(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """The world of a ranker in Python that does what the service does."""
    return history(ranked(tmp_path_factory.mktemp("age"), "Newest", "duration=3d"))[0]


def recorded(scenario: Scenario, folder: Path) -> Simulation:
    """The world at its end, with its answers and its state in a folder."""
    simulation = Simulation(scenario)
    folder.mkdir()
    simulation.world.folder = folder
    simulation.begin()
    simulation.run(scenario.duration + 1)
    simulation.save(folder / "checkpoint")
    return simulation


def same(one: Simulation, other: Simulation) -> bool:
    """Whether two worlds are one, apart from what the ranker keeps."""
    return [each for each in same_state(one, other) if not each.startswith(ASIDE)] == []


@pytest.mark.parametrize(
    ("mode", "form"),
    [("", "batch"), ("scores", "batch"), ("item_scores", "batch"), ("", "single")],
)
def test_the_bytes_of_the_same_ranker_in_python(
    mode: str, form: str, by_age: Simulation, tmp_path: Path
) -> None:
    """Ranked lists and scores, in one request for a window and in one for each session."""
    with service(mode) as url:
        assert same(by_age, history(asking(tmp_path, url, more=f", form: {form}"))[0])


FAULTS = {
    "no ids": "its answer has neither ranked_ids nor scores nor item_scores",
    "lost": "session 0: its ranked_ids lack 1 of ",
    "strange": "session 0: its ranked_ids hold '12', which was not asked for",
    "empty": "session 0: its ranked_ids hold '', which was not asked for",
    "twice": " twice",
    "sessions": "its answer has ranked_ids for ",
    "items": "its answer has item_scores for ",
    "number": "its answer has the score 'high', which is no number",
    "new": "its answer has new_items, which a twin cannot show",
    "html": "its answer is no JSON: '<!DOCTYPE html><title>Bad gateway</title>",
    "list": "its answer is list in JSON, not an object",
    "nan": "its answer holds NaN, which is no number in JSON",
    "500": "it answers 500 Internal Server Error (2 tries)",
    "moved": "it answers 302 Found (redirects are not followed",
    "silent": "it gave no whole answer within 1 s (2 tries)",
    "half": "it broke off in the middle of its answer (2 tries)",
    "drip": "it gave no whole answer within 1 s (2 tries)",
}


@pytest.mark.parametrize("mode", FAULTS)
def test_a_wrong_answer_is_one_line(mode: str, tmp_path: Path) -> None:
    """With the scenario's file and line, the address, and the mend where there is one."""
    with service(mode) as url, pytest.raises(Foreign) as caught:
        history(asking(tmp_path, url, more=", timeout: 1s, retries: 1", days=1))
    said = str(caught.value)
    assert said.startswith(f"x.yaml:4 recommender.ranker: {url}: ") and FAULTS[mode] in said
    assert "\n" not in said and "Traceback" not in said


def test_nobody_there_and_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No service, and one that wants a token; the token comes from the environment, as the address
    may, and reaches no file."""
    port = free_port()
    with pytest.raises(Foreign, match=r"does not answer \(connection refused\)"):
        history(asking(tmp_path, f"http://127.0.0.1:{port}/rank", more=", retries: 0", days=1))
    with (
        service() as url,
        pytest.raises(Foreign, match=r"does not answer \(.*ssl.*\) \(2 tries\)"),
    ):
        secure = url.replace("http:", "https:")  # of a service that does not speak it
        history(asking(tmp_path, secure, more=", retries: 1", days=1))
    with service(token="secret-42") as url:
        scenario = asking(tmp_path, "", days=1)
        with pytest.raises(Foreign, match="url '' is no address of a service"):
            history(scenario)
        monkeypatch.setenv("TWIN_RANKER_URL", url)
        with pytest.raises(Foreign, match=r"it answers 401 .*set TWIN_RANKER_TOKEN"):
            history(scenario)
        monkeypatch.setenv("TWIN_RANKER_TOKEN", "secret\n42")
        with pytest.raises(
            Foreign, match="TWIN_RANKER_TOKEN holds what no token can hold"
        ) as caught:
            history(scenario)
        assert "secret" not in str(caught.value)
        monkeypatch.setenv("TWIN_RANKER_TOKEN", "secret-42")
        recorded(scenario, tmp_path / "run")
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or b"secret-42" not in path.read_bytes()


def test_killed_and_brought_back_then_replayed_without(by_age: Simulation, tmp_path: Path) -> None:
    """A service that dies amid a run stops it, and what was saved is kept; once it is back, the run
    and a branch of it end as if nothing had happened. With the record of its answers the run needs
    no service."""
    port, out = free_port(), tmp_path / "run"
    scenario = asking(tmp_path, f"http://127.0.0.1:{port}/rank", more=", retries: 0")
    step, killing = Simulation.run, service(port=port)
    killing.__enter__()

    def run(self: Simulation, until: int) -> None:
        if until > DAY + 7 * 3600:
            # kill -9, by the context's end
            killing.__exit__(None, None, None)
        step(self, until)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "run", run)
        patch.setattr(drive, "CHECKPOINT_SIM_S", DAY)
        with pytest.raises(
            Stopped, match=r"does not answer .*what was saved is kept .*twin resume"
        ):
            drive.start(scenario, out)
    before = (out / NAME).read_bytes()
    called("fork", "run", "--name", "branch", cwd=tmp_path)
    branch = tmp_path / "run-branch"
    # what the run asked after its checkpoint, the branch asks again
    assert (branch / NAME).read_bytes() == before
    failed = called("resume", "run", "--quiet", cwd=tmp_path, check=False)
    assert failed.returncode == 4 and "does not answer" in failed.stderr
    assert (out / NAME).read_bytes() == before
    with service(port=port):
        for folder in (out, branch):
            called("resume", folder.name, "--quiet", cwd=tmp_path)
            newest = latest(folder / "checkpoints")
            assert newest is not None
            rest = Simulation(load(folder / "scenario.yaml"))
            rest.load(newest)
            assert same(by_age, rest) and len((folder / NAME).read_bytes()) > len(before)
    # nobody is there any more
    again = asking(tmp_path, f"http://127.0.0.1:{port}/rank", more=f", answers: {out / NAME}")
    assert same(by_age, history(again)[0])


def test_fallback(tmp_path: Path, by_age: Simulation) -> None:
    """Where the service fails, posts are shown newest first, which is marked where it begins; the
    record holds that too."""
    with service("html", since=60) as url:
        more = ", on_failure: fallback, retries: 0"
        marks = recorded(asking(tmp_path, url, more=more), tmp_path / "run").world.marks
    assert [text for _, kind, text in marks if kind == "ranker"] == [
        "the ranker fails: newest first"
    ]
    # the service ranks by age as well
    again = asking(tmp_path, url, more=f"{more}, answers: {tmp_path / 'run' / NAME}")
    replayed = history(again)[0]
    assert same(by_age, replayed) and replayed.world.state["recommender.ranker.failing"][0]


REFUSED = {
    "url: 'ftp://127.0.0.1/x'": "url 'ftp://127.0.0.1/x' is no address of a service (write one",
    "url: 'http://rank.example/x'": "url leads to rank.example, another machine (write anywhere:",
    "url: 'http://me:pw@127.0.0.1/x'": "url holds a user or password (put a token into TWIN_RANK",
    "url: 'http://127.0.0.1/x', on_failure: halt": "'stop' or 'fallback'",
    "url: 'http://127.0.0.1/x', timeout: 10": "10 is not a duration (write a number and a unit",
    "url: 'http://127.0.0.1/x', answers: no.bin": "there is no file no.bin",
    "url: 'http://127.0.0.1/x', retry: 3": "no such parameter (did you mean retries?)",
}


@pytest.mark.parametrize("block", REFUSED)
def test_mistakes(block: str, tmp_path: Path) -> None:
    """Before the run, each in one line."""
    with pytest.raises(ScenarioError) as caught:
        load(write(tmp_path, f"{{{block}}}"))
    lines = str(caught.value).splitlines()
    assert len(lines) == 1 and REFUSED[block] in lines[0] and "x.yaml:4 " in lines[0], lines


def test_what_is_no_record_is_no_answer(tmp_path: Path) -> None:
    """A file of another kind is refused, and the service is not asked in its place."""
    (tmp_path / "other.bin").write_bytes(b"PAR1" * 30)
    more = f", answers: {tmp_path / 'other.bin'}"
    with pytest.raises(Foreign, match=r"other.bin holds no answers \(give a run's answers.bin\)"):
        history(asking(tmp_path, "http://127.0.0.1:9/rank", more=more, days=1))


def test_elsewhere_if_told(tmp_path: Path) -> None:
    """Another machine only where the scenario says so; `twin check` says who ranks."""
    url = "https://rank.example/x"
    path = write(tmp_path, f"{{url: '{url}', anywhere: true}}")
    assert f"ranker {url} (x.yaml:4) ranks for everybody" in twin("check", path, cwd=ROOT).stdout


def test_record_survives_a_torn_end(tmp_path: Path) -> None:
    """Whole records are read, half of one is cut off, and the next is written behind the last whole
    one."""

    def scores(k: int) -> NDArray[np.float32]:
        return np.arange(k, dtype=np.float32)

    one = Answers(tmp_path / NAME, write=True)
    for k in range(3):
        one.add(bytes([k]) * 32, Answer(scores(k), k == 1))
    one.close()
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[:-3])
    two = Answers(tmp_path / NAME, write=True)
    assert two.get(bytes([2]) * 32) is None
    two.add(bytes([2]) * 32, Answer(scores(2), False))
    two.close()
    assert (tmp_path / NAME).read_bytes() == whole
    (tmp_path / NAME).write_bytes(whole[:-1] + b"x")
    three = Answers(tmp_path / NAME)
    found = three.get(bytes([1]) * 32)
    assert found is not None and found.failed and found.scores.tolist() == [0.0]
    assert three.get(bytes([2]) * 32) is None


def test_compressed_records_are_read_as_well(tmp_path: Path) -> None:
    """As earlier versions wrote them; what is added behind them is not compressed."""
    for k, failed in ((0, True), (1, False)):
        body = zlib.compress(np.arange(k + 2, dtype="<f4").tobytes(), 1)
        head = (b"TWAN", failed, bytes([k]) * 32, len(body), zlib.crc32(body))
        with (tmp_path / NAME).open("ab") as file:
            file.write(struct.pack("<4sB32sII", *head) + body)
    record = Answers(tmp_path / NAME, write=True)
    record.add(bytes([2]) * 32, Answer(np.arange(4, dtype=np.float32), True))
    record.close()
    read = Answers(tmp_path / NAME)
    found = [read.get(bytes([k]) * 32) for k in range(3)]
    assert [(list(each.scores), each.failed) for each in found if each] == [
        ([0, 1], True),
        ([0, 1, 2], False),
        ([0, 1, 2, 3], True),
    ]
