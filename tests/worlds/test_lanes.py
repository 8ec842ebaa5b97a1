"""Packed instructions in the compiled code, and none that are fused, for the arrays of a world."""

import platform
import re
from collections.abc import Callable

import numba
import numpy as np
import pytest

from twin.engine.simulation import Simulation
from twin.ground import compiled
from twin.ground.units import DAY
from twin.kernels import nearest, ranking, training
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
    tables = training.Embeddings(*[training.Table(np.zeros((4, 33), f4), np.zeros((4, 2), f4))] * 3)
    dense = training.Dense(
        np.zeros((34, 8), f4),
        np.ones((34, 8), f4),
        np.zeros(8, f4),
        np.ones(8, f4),
        *[np.ones(shape, f4) for shape in ((WIDE, 8), (WIDE, 8), (READ, 32), (READ, 32))],
    )
    places = training.Places(np.zeros(1, np.int32), np.empty(0, np.int32), False)
    samples = training.Samples(
        *[places] * 3,
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
