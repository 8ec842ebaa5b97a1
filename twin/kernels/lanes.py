"""Eight numbers at once in a vector register, and reads and writes that several threads may do at the same time.

numba leaves it to the compiler's passes whether sums of eight columns are packed into a register, and they leave them scalar; here
they are vector instructions by construction, on any machine that has them. What is summed, and in which order, is stated in `dot8`: no
multiplication is fused with an addition, so that every machine finds the same bits.
"""

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

from twin.compiled import inner

intrinsic: Any = _intrinsic  # its annotation asks callers for the typing context
LANES = 8
PATIENCE = 2000
"""Looks, a few nanoseconds each, before a thread that waits gives way."""
_I64, _F4 = ir.IntType(64), ir.FloatType()
_V8 = ir.VectorType(_F4, LANES)
_ONE_LANE = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)


def _floats(array: Any, *dimensions: int) -> bool:
    return isinstance(array, types.Array) and array.dtype == types.float32 and array.layout == "C" and array.ndim in dimensions


def _array(context: Any, builder: Any, kind: Any, value: Any) -> tuple[Any, list[Any]]:
    """The data pointer and the shape of an array."""
    array = context.make_array(kind)(context, builder, value)
    return array.data, cgutils.unpack_tuple(builder, array.shape)


@intrinsic
def dot8(typingctx, scalars, i, vectors, j, out, k):
    """out[k:k+8] = q . v for the row q = scalars[i] (D,) and the block v = vectors[j] (D, 8), all C-ordered float32; a one-dimensional
    ``scalars`` or a two-dimensional ``vectors`` is the row or the block itself, whatever i or j is. Any D, odd ones too.

    Even and odd dimensions are summed apart, so that two sums run side by side, each from the lowest dimension up; then both are added.
    """
    if not (_floats(scalars, 1, 2) and _floats(vectors, 2, 3) and _floats(out, 1)):
        return None
    signature = types.void(scalars, types.int64, vectors, types.int64, out, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data, shape), (block, _), (put, _) = (_array(context, builder, signature.args[place], arguments[place]) for place in (0, 2, 4))
        size, row, column, at = shape[-1], arguments[1], arguments[3], arguments[5]
        if scalars.ndim == 2:
            data = builder.gep(data, [builder.mul(row, size)])
        if vectors.ndim == 3:
            block = builder.gep(block, [builder.mul(builder.mul(column, size), ir.Constant(_I64, LANES))])
        sums = [cgutils.alloca_once_value(builder, ir.Constant(_V8, [0.0] * LANES)) for _ in range(2)]

        def add(dimension: Any, total: Any) -> None:
            one = builder.load(builder.gep(data, [dimension]), align=4)
            place = builder.gep(block, [builder.mul(dimension, ir.Constant(_I64, LANES))])
            eight = builder.load(builder.bitcast(place, _V8.as_pointer()), align=4)
            spread = builder.insert_element(ir.Constant(_V8, ir.Undefined), one, ir.Constant(ir.IntType(32), 0))
            spread = builder.shuffle_vector(spread, ir.Constant(_V8, ir.Undefined), _ONE_LANE)
            builder.store(builder.fadd(builder.load(total), builder.fmul(spread, eight)), total)

        with cgutils.for_range(builder, builder.lshr(size, ir.Constant(_I64, 1))) as loop:
            for odd in range(2):
                add(builder.add(builder.mul(loop.index, ir.Constant(_I64, 2)), ir.Constant(_I64, odd)), sums[odd])
        with builder.if_then(builder.trunc(size, ir.IntType(1))):
            add(builder.sub(size, ir.Constant(_I64, 1)), sums[0])
        whole = builder.fadd(builder.load(sums[0]), builder.load(sums[1]))
        builder.store(whole, builder.bitcast(builder.gep(put, [at]), _V8.as_pointer()), align=4)
        return context.get_dummy_value()

    return signature, generate


def _place(context: Any, builder: Any, kind: Any, value: Any, index: Any) -> Any:
    return builder.gep(_array(context, builder, kind, value)[0], [index])


@intrinsic
def take_turn(typingctx, counter, i):
    """counter[i] as it was, one added: no two threads get the same (int64)."""
    signature = types.int64(counter, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments)
        return builder.atomic_rmw("add", place, ir.Constant(_I64, 1), "acq_rel")

    return signature, generate


@intrinsic
def announce(typingctx, flag, i):
    """flag[i] += 1 (int64), seen by other threads no earlier than all that this one wrote before."""
    signature = types.void(flag, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments)
        builder.atomic_rmw("add", place, ir.Constant(_I64, 1), "release")
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def announced(typingctx, flag, i):
    """flag[i] (int64): all that was written before the announcements that it counts can be read."""
    signature = types.int64(flag, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(place, "acquire", 8)

    return signature, generate


@intrinsic
def give_way(typingctx):
    """Let another thread have this processor: the one that is waited for may not be running."""
    signature = types.void()

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(32), []), name)
        builder.call(function, [])
        return context.get_dummy_value()

    return signature, generate


@inner
def wait_until(count, i, least):
    """Wait until count[i] has been announced ``least`` times: a moment at full speed, then giving way to others."""
    looks = 0
    while announced(count, i) < least:
        looks += 1
        if looks > PATIENCE:
            give_way()


@intrinsic
def glance(typingctx, counts, i):
    """counts.ravel()[i] (int32, C-ordered), read once, while another thread may be counting."""
    signature = types.int32(counts, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(place, "monotonic", 4)

    return signature, generate
