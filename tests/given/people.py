"""A small table of people: a lazy column, and row numbers of another table."""

import numpy as np

from twin.world.columns import Column, Table


def people(count: int) -> Table:
    made = Table("people")
    made.define(Column("x", "f4", "1", "a number"))
    made.define(Column("late", "i4", "1", "written by few", start=-1, shape=(4,), lazy=True))
    made.define(Column("seen", "i4", "rows", "posts seen", start=-1, shape=(3,), rows_of="posts"))
    made.add(np.arange(1, count + 1, dtype=np.uint64))
    return made
