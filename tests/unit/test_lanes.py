"""Vector registers: sums in the stated order to the bit, packed instructions in the compiled code,
and none that are fused."""

import platform
import re
from collections.abc import Callable

import numba
import numpy as np
import pytest

from twin.engine.simulation import Simulation
from twin.ground import compiled
from twin.ground.units import DAY
from twin.kernels import lanes, nearest, ranking, training
from twin.kernels.lanes import dot8
from twin.kernels.room import empty_room
from twin.kernels.side import READ, WIDE
from twin.scenario.loading import Scenario

PACKED = {
    "x86_64": r"vmulps|mulps",
    "AMD64": r"vmulps|mulps",
    "aarch64": r"fmul\s+v\d+\.4s",
    "arm64": r"fmul\.4s|fmul\s+v\d+\.4s",
}
FUSED = r"vfn?m(add|sub)\d|\bfml[as]\b|\bfn?m(add|sub)\b"


@compiled.kernel
def blocks(q, v, out):
    """q times every block."""
    for t in range(v.shape[0]):
        dot8(q, 0, v, t, out, 8 * t)


@compiled.kernel
def chosen(items, v, rows, out):
    """Chosen rows times one block."""
    for i in range(len(rows)):
        dot8(items, rows[i], v, 0, out, 8 * i)


@compiled.kernel
def beside(items, rows, first, v, out):
    """Four rows with one block."""
    lanes.dot8_four(items, rows, first, v, out)


@compiled.kernel
def scored(q, weight, v, biases, out, bounds):
    """Blocks with biases, and the bounds of what comes out, less what is absent."""
    for t in range(v.shape[0]):
        lanes.score8(q, weight, v, biases, t, out, 8 * t)
    out[3] = np.float32(-3e38)
    lanes.bounds8(out, len(out), np.float32(-3e38), bounds)


@compiled.kernel
def apart(points, v, out):
    """Squared distances of the third point from the columns of the second block."""
    lanes.far8(points, 2, v, 1, out)


@compiled.kernel
def shared(counter, flag, counts):
    """What threads tell each other by."""
    first, before = lanes.take_turn(counter, 0), lanes.announced(flag, 1)
    lanes.announce(flag, 1)
    return (
        first,
        lanes.take_turn(counter, 0),
        before,
        lanes.announced(flag, 1),
        lanes.glance(counts, 5),
    )


def in_order(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The sum as it is stated: even and odd dimensions apart, upwards, in float32."""
    sums = [np.zeros(8, np.float32), np.zeros(8, np.float32)]
    for d in range(len(q)):
        odd = d % 2 if d < len(q) // 2 * 2 else 0
        sums[odd] = sums[odd] + q[d] * v[d]
    return sums[0] + sums[1]


@pytest.mark.parametrize("dim", [1, 2, 3, 7, 8, 32, 33])
def test_sums_are_the_stated_ones_to_the_bit(dim: int) -> None:
    """Whatever the dimension, and however rows and blocks are given."""
    rng = np.random.default_rng(dim)
    items, v = (
        rng.normal(size=(50, dim)).astype(np.float32),
        rng.normal(size=(20, dim, 8)).astype(np.float32),
    )
    out = np.empty(160, np.float32)
    blocks(items[3], v, out)
    assert np.array_equal(out.reshape(20, 8), [in_order(items[3], one) for one in v])
    rows = rng.integers(0, 50, 20)
    chosen(items, v[4], rows, out)
    assert np.array_equal(out.reshape(20, 8), [in_order(items[row], v[4]) for row in rows])
    assert np.abs(out.reshape(20, 8) - items[rows].astype(float) @ v[4]).max() < 1e-4
    four = np.full(160, np.nan, np.float32)
    for first in (4, 12):
        beside(items, rows, first, v[4], four)
    assert np.array_equal(four.reshape(20, 8)[4:8], out.reshape(20, 8)[4:8]) and np.array_equal(
        four[96:128], out[96:128]
    )
    assert np.isnan(four[:32]).all() and np.isnan(four[64:96]).all() and np.isnan(four[128:]).all()
    biases, bounds, weight = (
        rng.normal(size=(20, 8)).astype(np.float32),
        np.empty(16, np.float32),
        np.float32(0.7),
    )
    scored(items[3], weight, v, biases, out, bounds)
    wanted = np.array([in_order(items[3], one) for one in v]) + weight * biases
    wanted[0, 3] = np.nan
    assert np.array_equal(np.delete(out, 3), np.delete(wanted.ravel(), 3))
    assert np.array_equal(bounds, np.append(np.nanmin(wanted, 0), np.nanmax(wanted, 0)))


@pytest.mark.parametrize("dim", [1, 3, 4, 7, 32, 33])
def test_distances_are_the_stated_ones_to_the_bit(dim: int) -> None:
    """Dimensions in fours, each place apart, then what is left over."""
    rng = np.random.default_rng(dim)
    points, v, out = (
        rng.normal(size=(5, dim)).astype(np.float32),
        rng.normal(size=(3, dim, 8)).astype(np.float32),
        np.empty(8, np.float32),
    )
    apart(points, v, out)
    gaps = (points[2][:, None] - v[1]) ** 2
    sums = np.zeros((4, 8), np.float32)
    for d in range(dim - dim % 4):
        sums[d % 4] += gaps[d]
    wanted = (sums[0] + sums[1]) + (sums[2] + sums[3])
    for d in range(dim - dim % 4, dim):
        wanted = wanted + gaps[d]
    assert np.array_equal(out, wanted)


def test_turns_and_announcements() -> None:
    """Turns count up from 0; a flag is seen once it is set; a count is read."""
    counter, flag = np.zeros(1, np.int64), np.zeros(3, np.int64)
    assert shared(counter, flag, np.arange(8, dtype=np.int32).reshape(2, 4)) == (0, 1, 0, 1, 5)
    assert counter[0] == 2 and flag.tolist() == [0, 1, 0]


@pytest.fixture(scope="module")
def codes(small: Callable[..., Scenario]) -> dict[str, str]:
    """Machine code of the kernels that cost most, compiled here and now for the types of a real
    snapshot."""
    world = Simulation(small("duration=2d"))
    world.begin()
    world.run(DAY)
    serve = world.world.service("serving")()
    f4, seen = np.float32, np.full(4, -1, np.int32)
    room = empty_room(len(serve.can), 32, serve)
    room.cand[:9] = np.arange(9)
    calls = {
        ranking.value_scores: (f4(0), 0, 9, serve, room),
        nearest.nearest: (0.5, 0, 0, seen, serve, room),
    }
    found = {}
    for function, arguments in calls.items():
        fresh = compiled.inner(function.py_func).alone
        fresh(*arguments)
        found[function.py_func.__name__] = "\n".join(fresh.inspect_asm().values())
    tables = training.Embeddings(*[np.zeros((4, 33), f4), np.zeros((4, 2), f4)] * 3)
    dense = training.Dense(
        np.zeros((34, 8), f4),
        np.ones((34, 8), f4),
        np.zeros(8, f4),
        np.ones(8, f4),
        *[np.ones(shape, f4) for shape in ((WIDE, 8), (WIDE, 8), (READ, 32), (READ, 32))],
    )
    rows = [np.zeros(1, np.int32)] * 3
    samples = training.Samples(
        *rows,
        np.empty((0, 3), np.int32),
        np.zeros(3, bool),
        np.zeros(1, np.uint16),
        np.zeros(1, np.int32),
        np.zeros(1, np.int32),
        np.ones((1, READ), f4),
        np.ones(WIDE, f4),
    )
    step = numba.njit(error_model="numpy", nogil=True)(
        training.train.py_func
    )  # not kept: what is kept cannot be looked at
    step(
        tables,
        samples,
        dense,
        training.Rates(*map(f4, (0.1, 0.1, 0, 0.02))),
        training.empty_batch(32, False, dense),
    )
    found["train"] = "\n".join(step.inspect_asm().values())
    return found


@pytest.mark.parametrize("name", ["value_scores", "nearest", "train"])
def test_hot_kernels_multiply_in_vector_registers_and_never_fuse(
    name: str, codes: dict[str, str]
) -> None:
    """Where the compiler stops packing, or begins to fuse (then machines would differ), this
    fails."""
    assert len(re.findall(PACKED[platform.machine()], codes[name])) >= 2
    assert not re.findall(FUSED, codes[name])
