"""Growable tables: growth, recycling, schema."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.ground.errors import StateError
from twin.world.columns import Column, Table


def table() -> Table:
    made = Table("things")
    made.define(Column("x", "f4", "1", "a number", start=7))
    made.define(Column("v", "i4", "1", "a vector", shape=(3,), start=-1))
    return made


def test_growth_keeps_values_and_starts_new_rows_afresh() -> None:
    """Past the first capacity nothing is lost, and recycled rows carry nothing over."""
    made = table()
    rows = made.add(np.arange(1, 201, dtype=np.uint64))
    made["x"][:] = rows
    made.add(np.arange(201, 301, dtype=np.uint64))
    assert (made["x"][:200] == rows).all() and (made["x"][200:] == 7).all()
    made.release(np.array([5, 3]))
    again = made.add(np.array([999, 998, 997], np.uint64))
    assert (
        again.tolist() == [3, 5, 300]
        and (made["x"][again] == 7).all()
        and (made["v"][again] == -1).all()
    )


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=30))
def test_a_table_behaves_like_a_dict_of_rows(steps: list[tuple[bool, int]]) -> None:
    """Adds and releases in any order: live rows keep their keys, no two share a row, size follows
    the living."""
    made, living, key, most = table(), {}, 0, 0
    for add, count in steps:
        if add:
            keys = np.arange(key + 1, key + 1 + count, dtype=np.uint64)
            key += count
            for row, name in zip(made.add(keys), keys, strict=True):
                assert row not in living
                living[int(row)] = int(name)
        else:
            rows = sorted(living)[:count]
            made.release(np.array(rows, np.int64))
            for row in rows:
                del living[row]
        most = max(most, len(living))
    assert {int(r): int(made["key"][r]) for r in np.flatnonzero(made["alive"])} == living
    assert len(made) <= most


def test_a_foreign_schema_is_refused_by_name() -> None:
    """Loading columns of another type or name says which."""
    made = table()
    made.add(np.array([1], np.uint64))
    saved = {name: values.copy() for name, values in made.save().items()}
    with pytest.raises(StateError, match="y"):
        table().load({**saved, "y": saved["x"]})
    with pytest.raises(StateError, match="column x is"):
        table().load({**saved, "x": saved["x"].astype("f8")})
