"""A platform and its twin's forecasts as series, read from folders as they are left; what cannot be
read is refused in a line."""

import datetime as dt
import io
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.given import logs
from tests.given.wire import decoded, unsnapped
from twin.experiments.calibrate.outcome import FORECAST, LEVELS
from twin.experiments.following import command, read, words
from twin.ground.errors import UsageError
from twin.observing import folder
from twin.readers import forecast_send, forecast_series
from twin.readers.forecast_series import Series
from twin.readers.receiver import OtherValueError, TooLargeError

DAYS = [dt.date(2024, 3, 1) + dt.timedelta(days=days) for days in range(6)]
IDENTITY = {"calibration": "c-1", "scenario": 'a "b"'}
FAN = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def rows(until: int, last: int, scale: float = 1.0) -> list[dict[str, object]]:
    """A forecast of the days after ``until`` up to ``last``."""
    return [
        {
            "quantity": quantity,
            "day": DAYS[day],
            "ahead_d": day - until,
            **{f"q{level:g}": scale * value for level, value in zip(LEVELS, FAN, strict=True)},
        }
        for quantity in ("click rate", "people")
        for day in range(until + 1, last + 1)
    ]


def write(place: Path, ahead: list[dict[str, object]]) -> None:
    """A forecast into a folder."""
    place.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(ahead, FORECAST), place / "forecast.parquet")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A calibration to two of four observed days, and its forecast of the next three."""
    file = logs.written(tmp_path / "log.csv", logs.text(logs.rows()))
    seen = logs.observe(tmp_path, file)
    args = {
        "on": str(seen.path),
        "until": DAYS[1].isoformat(),
        "observed": seen.until(DAYS[1]).digest(),
        "quick": False,
    }
    out = tmp_path / "calibrated"
    write(out, rows(1, 4))
    given = {"command": "calibrate", "name": "w", "scenario_digest": "d", "status": "done"}
    (out / "manifest.json").write_text(json.dumps({**given, "args": args}))
    return out


def test_both_are_on_the_platforms_own_scale(place: Path) -> None:
    """As the forecast has them; all four observed days are there, and words say which lie inside."""
    beside = read.read(place, None)
    seen = folder.read(json.loads((place / "manifest.json").read_text())["args"]["on"])
    _, people = seen.series("users")
    assert list(beside.observed["people"].values()) == pytest.approx(people)
    assert beside.latest("people")[DAYS[2]] == pytest.approx(FAN)
    assert beside.latest("click rate")[DAYS[4]] == pytest.approx(FAN)
    assert beside.until == DAYS[1] and sorted(beside.latest("people")) == DAYS[2:5]
    told = "\n".join(words.lines(beside))
    assert "read until 2024-03-02" in told and "0.2 to 0.6" in told
    # twelve people on each day, and at most 0.6 foretold
    assert told.count("above") == 2 and told.count("below") == 1
    assert "inside the central 80 %: 1 of 4" in told


def test_a_newer_folder_adds_its_days(place: Path, tmp_path: Path) -> None:
    """Days after the calibration's own; what was known stays. Where its own folder was moved, the
    same log will do."""
    longer = logs.written(tmp_path / "longer.csv", logs.text(logs.rows(many=360, days=6)))
    newer = logs.observe(tmp_path, longer).path
    beside = read.read(place, str(newer))
    assert sorted(beside.observed["people"]) == DAYS
    own = read.read(place, None).observed["click rate"]
    assert {day: beside.observed["click rate"][day] for day in own} == own
    moved = tmp_path / "moved"
    Path(json.loads((place / "manifest.json").read_text())["args"]["on"]).rename(moved)
    with pytest.raises(UsageError, match=r"is not there \(give --on"):
        read.read(place, None)
    assert read.read(place, str(moved)).observed["click rate"] == own
    with pytest.raises(UsageError, match="is not what the calibration read until 2024-03-02"):
        read.read(place, str(newer))


def test_later_versions_win_and_earlier_ones_are_kept(place: Path) -> None:
    """A day that was forecast twice has two samples, and the latest forecast is the last."""
    write(place / "versions" / "001", rows(2, 5, 2.0))
    beside = read.read(place, None)
    assert beside.until == DAYS[2]
    assert beside.latest("click rate")[DAYS[3]] == tuple(2 * value for value in FAN)
    assert beside.latest("click rate")[DAYS[2]] == FAN
    days = forecast_series.forecast(beside.foretold)
    median = next(each for each in days if each.labels.get("quantile") == "0.5")
    noon = [forecast_series.noon(DAYS[day]) for day in (2, 3, 3, 4, 4, 5)]
    before = [1, 2, 1, 3, 2, 3]
    assert median.times.tolist() == [at - a for at, a in zip(noon, before, strict=True)]
    read_until = days[-1]
    assert read_until.metric.name == "forecast_origin"
    assert read_until.values.tolist() == [
        at - a * 86400 for at, a in zip(noon, before, strict=True)
    ]


def test_text_and_request_say_the_same() -> None:
    """Every sample once, at noon or a little before; no value ends with a stale marker."""
    those = [
        *forecast_series.forecast({"click rate": {(DAYS[2], 1): FAN, (DAYS[3], 2): FAN}}),
        *forecast_series.observed({"click rate": {DAYS[2]: 0.25}}),
    ]
    into = io.StringIO()
    forecast_series.write(into, those, IDENTITY)
    lines = into.getvalue().splitlines()
    assert lines[-1] == "# EOF" and sum(line.startswith("# TYPE") for line in lines) == 3
    labels = 'calibration="c-1",quantity="click rate",scenario="a \\"b\\""'
    assert f"twin_observed{{{labels}}} 0.25 1709467200" in lines  # 3 March 2024, 12:00
    quantile = labels.replace("quantity=", 'quantile="0.1",quantity=')
    assert f"twin_forecast{{{quantile}}} 0.2 1709467199" in lines
    assert f"twin_forecast{{{quantile}}} 0.2 1709553598" in lines
    assert forecast_series.count(those) == "17 samples of 9 series"
    sent = [
        (dict(labels)["__name__"], at, struct.unpack("<d", value)[0])
        for labels, samples in decoded(unsnapped(forecast_send.request(those, IDENTITY)))
        for at, value in samples
    ]
    told = [line.rsplit(" ", 2) for line in lines if not line.startswith("#")]
    assert sent == [
        (name.partition("{")[0], 1000 * int(at), float(value)) for name, value, at in told
    ]


class Receiver(forecast_send.Forecasts):
    """Keeps what it is sent; has other values of some, or takes few at once."""

    def __init__(self, has: set[int], most: int) -> None:
        super().__init__("http://127.0.0.1:9/api/v1/write", IDENTITY, print)
        self.has, self.most, self.got = has, most, list[int]()

    def post(self, body: bytes) -> bool:
        times = [at // 1000 for _, samples in decoded(unsnapped(body)) for at, _ in samples]
        if len(times) > self.most:
            raise TooLargeError("413")
        if self.has & set(times):
            raise OtherValueError("400")
        self.got += times
        return True


@pytest.mark.parametrize("most", [100, 5, 1])
def test_what_is_refused_leaves_the_rest(most: int) -> None:
    """All arrive but those of which the receiver has another value, which are counted, in as small
    requests as it wants."""
    those = [
        Series.of(forecast_series.OBSERVED, {"quantity": name}, dict.fromkeys(range(7), 1.0))
        for name in ("a", "b")
    ]
    receiver = Receiver({2, 6}, most)
    assert receiver.send(those) and receiver.other == 4
    assert sorted(receiver.got) == [0, 0, 1, 1, 3, 3, 4, 4, 5, 5]


def test_days_to_come_wait() -> None:
    """Prometheus takes nothing from after now: it is left out, and counted."""
    those = forecast_series.observed({"people": dict.fromkeys(DAYS, 1.0)})
    now = dt.datetime(2024, 3, 3, 12, 0, tzinfo=dt.UTC)
    kept, later = forecast_send.now_and_later(those, now)
    assert (len(kept[0].times), later) == (3, 3)
    kept, later = forecast_send.now_and_later(those, now - dt.timedelta(hours=1))
    assert (len(kept[0].times), later) == (2, 4)


def empty(place: Path) -> None:
    write(place, [])


def unfinished(place: Path) -> None:
    (place / "forecast.parquet").unlink()
    file = place / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "status": "running"}))


def torn(place: Path) -> None:
    (place / "forecast.parquet").write_bytes(b"PAR1")


def other(place: Path) -> None:
    (place / "manifest.json").write_text('{"command": "sweep"}')


def run(place: Path) -> None:
    (place / "manifest.json").write_text('{"run_id": "r"}')


def gone(place: Path) -> None:
    shutil.rmtree(place)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (gone, "is no calibrated folder"),
        (other, "holds a sweep, not a calibration"),
        (run, "holds something else, not a calibration"),
        (unfinished, r"has no forecast yet \(finish the calibration: twin resume"),
        (torn, r"forecast\.parquet: cannot be read"),
        (empty, "made with --ahead 0d"),
    ],
)
def test_what_is_no_forecast_is_refused_in_a_line(
    spoil: Callable[[Path], None], said: str, place: Path
) -> None:
    """And nothing is written."""
    spoil(place)
    with pytest.raises(UsageError, match=said):
        command.forecast(place, None, None, None, print, print)
    assert not (place / "openmetrics.txt").exists()


def test_wrong_arguments_are_refused_in_a_line(place: Path, tmp_path: Path) -> None:
    """A folder that is no observed one, a folder instead of a file, an address that is none."""
    for on, out, url, said in (
        (str(tmp_path / "no"), None, None, r"--on .*no: is no observed folder"),
        (None, tmp_path, None, r"--out .*: is a folder"),
        (None, tmp_path / "no" / "f.txt", None, "there is no folder"),
        (None, None, "localhost:9090", "--remote-write: not an address"),
    ):
        with pytest.raises(UsageError, match=said):
            command.forecast(place, on, out, url, print, print)
    assert not (place / "openmetrics.txt").exists()
