"""What a request to a ranker says in texts: ids, hashes of names and times."""

import datetime as dt
import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.ranking.texts import Clock, Texts, decimal, hashed, json_array


def test_texts_follow_a_row_that_is_given_to_another() -> None:
    """Written once for a number and its row; another number in the row has its own text."""
    written: list[int] = []

    def ids(numbers: NDArray[np.uint64]) -> NDArray[np.uint8]:
        written.extend(numbers.tolist())
        return decimal(numbers)

    texts, large = Texts(ids, hashed), 2**64 - 3
    rows, times = np.array([3, 1, 3]), np.array([16, 17, 16])

    def asked(rows: NDArray[np.int64], keys: list[int], times: NDArray[np.int64]) -> list[Any]:
        now = np.array(keys, np.uint64)
        return [json.loads(each) for each in texts(rows, now, lambda new: (now[new], times[new]))]

    def names(*numbers: int) -> list[str]:
        return [f"{number:016x}" for number in numbers]

    assert asked(rows, [7, 0, 7], times) == [["7", "0", "7"], names(16, 17, 16)]
    known = asked(np.array([1, 9]), [0, large], np.array([17, 1]))
    assert known == [["0", str(large)], names(17, 1)]
    again = asked(rows, [8, 0, 8], np.array([2, 17, 2]))
    assert again == [["8", "0", "8"], names(2, 17, 2)]
    assert asked(np.zeros(0, np.int64), [], np.zeros(0, np.int64)) == [[], []]
    assert sorted(set(written)) == [0, 7, 8, large] and written.count(0) == 1


@given(
    start=st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)),
    seconds=st.lists(st.integers(-400 * DAY, 40_000 * DAY), max_size=9),
)
def test_times_are_written_as_python_writes_them(start: dt.date, seconds: list[int]) -> None:
    """Of any day, also before the start, and of none."""
    midnight = dt.datetime.combine(start, dt.time())
    written = json.loads(json_array(Clock(start)(np.array(seconds, np.int64))))
    assert written == [str(midnight + dt.timedelta(seconds=each)) for each in seconds]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=9))
def test_ids_are_written_as_python_writes_them(numbers: list[int]) -> None:
    """All digits of the largest."""
    given = np.array(numbers, np.uint64)
    assert json.loads(json_array(decimal(given))) == [str(each) for each in numbers]
    assert json.loads(json_array(hashed(given))) == [f"{each:016x}" for each in numbers]
