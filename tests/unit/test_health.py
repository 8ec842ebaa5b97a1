"""The run's own health as it is declared and read, and addresses to listen on."""

import datetime as dt
import socket
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twin.ground.errors import UsageError
from twin.ground.units import DAY, HOUR
from twin.readers import health
from twin.readers.endpoint import Endpoint
from twin.readers.health import HEALTH, readings
from twin.readers.listening import Address, parse
from twin.readers.pulse import Pulse
from twin.readers.service import Hub
from twin.record.names import IDENTITY
from twin.record.watch import Frame, RunInfo
from twin.world.mechanism import PHASES
from twin.world.metric import Metric

INFO = RunInfo("a", dt.date(2025, 1, 1), 10 * DAY, 0, (), Path("a"), dict.fromkeys(IDENTITY, "x"))


def frame(now_s: int, **more: float) -> Frame:
    return Frame(now_s, 1.5, 0, np.zeros(1), 64.0, more)


def values(pulse: Pulse, now: float) -> dict[str, dict[str, float]]:
    return {each.prom_name: known for each, known in readings(pulse, now)}


def test_every_number_is_declared_once_and_every_phase_is_explained() -> None:
    """Names are unlike, labels are none of the run's identity, and the phases are those of the
    engine."""
    assert len({each.prom_name for each in HEALTH}) == len(HEALTH)
    assert not {each.label for each in HEALTH} & set(IDENTITY)
    assert tuple(health.PHASES) == PHASES


def test_a_run_that_builds_its_world_has_health_already() -> None:
    """Before the first frame: no speed, nothing reached, building."""
    pulse = Pulse(INFO)
    known = values(pulse, pulse.began)
    assert known["twin_run_building"] == {"": 1.0} and known["twin_run_progress_ratio"] == {"": 0.0}
    assert known["twin_run_simulated_timestamp_seconds"] == {"": 1735689600.0}
    assert not {
        "twin_run_speed_ratio",
        "twin_run_pace_ratio",
        "twin_run_resident_memory_bytes",
        "twin_run_spent_seconds_total",
        "twin_run_reading_timestamp_seconds",
    } & set(known)


def test_speed_is_that_of_the_last_seconds_and_falls_to_nothing_when_the_run_stands_still() -> None:
    """Half a simulated day a second, then nothing: half of the window, then none of it, was in
    motion."""
    pulse = Pulse(INFO)
    for tenth in range(401):
        pulse.take(frame(DAY * tenth // 20 if tenth < 200 else 10 * DAY), tenth / 10)
        if tenth == 199:
            assert pulse.speed(19.9) == pytest.approx(DAY / 2)
        if tenth == 275:
            assert pulse.speed(27.5) == pytest.approx(DAY / 4)
    assert pulse.speed(40) == 0.0


def test_a_long_hour_is_not_a_standstill_and_not_a_leap() -> None:
    """Frames a minute apart: the speed is that over the minute, and falls while nothing comes."""
    pulse = Pulse(INFO)
    pulse.take(frame(HOUR), 0.0)
    pulse.take(frame(2 * HOUR), 60.0)
    assert pulse.speed(60.0) == pytest.approx(60.0)
    assert pulse.speed(66.0) == pytest.approx(HOUR / 66)
    assert pulse.speed(80.0) == 0.0


def test_sessions_per_second_are_those_of_the_last_day_at_the_present_speed() -> None:
    """Readings every hour, or farther apart than a day."""
    pulse = Pulse(INFO)
    pulse.take(frame(0), 0.0)
    pulse.take(frame(DAY), 10.0)
    for hour in range(49):
        pulse.reading(hour * HOUR, 100.0 * hour if hour <= 24 else 2400 + 50 * (hour - 24))
    assert pulse.density() == pytest.approx(50 / HOUR)
    assert values(pulse, 10.0)["twin_run_sessions_per_second"][""] == pytest.approx(
        50 / HOUR * DAY / 10
    )
    pulse.reading(8 * DAY, 3600 + 6 * DAY)
    assert pulse.density() == pytest.approx(1.0)


def test_progress_is_dated_and_queues_phases_and_pace_come_from_the_frame() -> None:
    """A frame that moved on dates the progress, one that did not does not; the checkpoint grows
    older between frames."""
    pulse = Pulse(INFO, lambda: {"remote_write": 3})
    pulse.take(frame(HOUR), 1.0)
    moved = pulse.moved_unix
    pulse.take(
        frame(
            HOUR,
            paused=1.0,
            pace=float("nan"),
            queue_calendar=7.0,
            queue_training=9.0,
            spent_train=2.5,
            checkpoint_age=3.0,
        ),
        2.0,
    )
    known = values(pulse, 4.0)
    assert known["twin_run_last_progress_timestamp_seconds"] == {"": moved} and pulse.moved == 1.0
    assert known["twin_run_queue_length"] == {"calendar": 7.0, "training": 9.0, "remote_write": 3}
    assert known["twin_run_spent_seconds_total"] == {"train": 2.5}
    assert known["twin_run_checkpoint_age_seconds"] == {"": 5.0} and known["twin_run_paused"] == {
        "": 1.0
    }
    assert "twin_run_pace_ratio" not in known
    pulse.take(frame(2 * HOUR, pace=2.0), 5.0)
    assert values(pulse, 5.0)["twin_run_pace_ratio"] == {"": 2.0 * DAY} and pulse.moved == 5.0
    pulse.take(frame(10 * DAY), 6.0)
    assert values(pulse, 6.0)["twin_run_finished"] == {"": 1.0}


@pytest.mark.parametrize(
    ("text", "host", "port", "local"),
    [
        (":9464", "127.0.0.1", 9464, True),
        ("0.0.0.0:1", "0.0.0.0", 1, False),
        ("[::1]:0", "::1", 0, True),
        ("[::]:80", "::", 80, False),
        ("localhost:80", "localhost", 80, True),
        ("127.0.0.9:80", "127.0.0.9", 80, True),
        ("example.org:80", "example.org", 80, False),
    ],
)
def test_an_address_is_of_this_machine_unless_another_is_spelt_out(
    text: str, host: str, port: int, local: bool
) -> None:
    """HOST and PORT, and whether other machines can reach it."""
    address = parse("--metrics", text)
    assert (address.host, address.port, address.local) == (host, port, local)


@pytest.mark.parametrize(
    "text", ["9464", "", "a:b", ":", "http://x:1", ":65536", ":-1", "::1:80", ":1 2", ":٣"]
)
def test_what_is_no_address_is_said_in_one_line(text: str) -> None:
    """Flag, what was given, and the mend."""
    with pytest.raises(UsageError, match=r"^--metrics .*\(.*:0") as error:
        parse("--metrics", text)
    assert "\n" not in str(error.value)


def test_a_privileged_port_is_refused_with_a_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's answer to a user who is not root is given here, since tests may run as root."""

    def refuse(*given: object, **more: object) -> socket.socket:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(
        UsageError,
        match=r"--metrics 127.0.0.1:80: not allowed to listen on port 80 \(take one above 1023",
    ):
        Address("--metrics", "127.0.0.1", 80).try_out()


def test_a_page_is_never_empty_whatever_the_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks count from the machine's start, so that sums and differences of them round differently
    from hour to hour."""
    endpoint = Endpoint(Address("--metrics", "127.0.0.1", 0))
    info = replace(
        INFO,
        rows=((Metric("sessions", "counter", "sessions", "Sessions.", "consumer", "Visits"), {}),),
    )
    endpoint.hub = Hub(info, print)
    endpoint.begin(info)
    for now in np.random.default_rng(1).uniform(0, 1e7, 200):
        endpoint.reading(int(now), np.ones(1))
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        assert endpoint.page(False, False) and endpoint.page(True, True)
