"""Eight numbers at once in a vector register, and reads and writes that several threads may do at
the same time.

numba leaves it to the compiler's passes whether sums of eight columns are packed into a register,
and they leave them scalar; here they are vector instructions by construction, on any machine that
has them. What is summed, and in which order, is stated in `dot8`: no multiplication is fused with
an addition, so that every machine finds the same bits.
"""

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

from twin.ground.compiled import inner

intrinsic: Any = _intrinsic  # its annotation asks callers for the typing context
LANES = 8
PATIENCE = 2000
"""Looks, a few nanoseconds each, before a thread that waits gives way."""
_I64, _F4 = ir.IntType(64), ir.FloatType()
_V8 = ir.VectorType(_F4, LANES)
_ONE_LANE = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)


def _floats(array: Any, *dimensions: int) -> bool:
    return (
        isinstance(array, types.Array)
        and array.dtype == types.float32
        and array.layout == "C"
        and array.ndim in dimensions
    )


def _array(context: Any, builder: Any, kind: Any, value: Any) -> tuple[Any, list[Any]]:
    """The data pointer and the shape of an array."""
    array = context.make_array(kind)(context, builder, value)
    return array.data, cgutils.unpack_tuple(builder, array.shape)


def _row(builder: Any, array: Any, index: Any, width: int) -> Any:
    """The address of row ``index`` of an array whose rows are its last dimension, or its last two,
    of which the last is ``width``."""
    data, size = array
    return builder.gep(data, [builder.mul(index, builder.mul(size, ir.Constant(_I64, width)))])


def _eight(builder: Any, data: Any, place: Any) -> Any:
    """Eight floats from an address on."""
    # a row may begin at any float: the alignment is that of a float and not of a register
    return builder.load(builder.bitcast(builder.gep(data, [place]), _V8.as_pointer()), align=4)


def _spread(builder: Any, number: Any) -> Any:
    """One float in all lanes."""
    first = builder.insert_element(
        ir.Constant(_V8, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
    )
    return builder.shuffle_vector(first, ir.Constant(_V8, ir.Undefined), _ONE_LANE)


def _dots(builder: Any, size: Any, pairs: list[tuple[Any, Any]]) -> list[Any]:
    """q . v of every pair of addresses of a row q and a block v, in the order that `dot8` states;
    several side by side share loads."""
    zero = ir.Constant(_V8, [0.0] * LANES)
    sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(2)] for _ in pairs]

    def add(dimension: Any, odd: int) -> None:
        for (q, v), total in zip(pairs, sums, strict=True):
            one = _spread(builder, builder.load(builder.gep(q, [dimension]), align=4))
            eight = _eight(builder, v, builder.mul(dimension, ir.Constant(_I64, LANES)))
            builder.store(
                builder.fadd(builder.load(total[odd]), builder.fmul(one, eight)), total[odd]
            )

    for total in sums:
        for each in total:
            builder.store(zero, each)
    # dimensions in twos, then the last of an odd number
    with cgutils.for_range(builder, builder.lshr(size, ir.Constant(_I64, 1))) as loop:
        for odd in range(2):
            add(
                builder.add(builder.mul(loop.index, ir.Constant(_I64, 2)), ir.Constant(_I64, odd)),
                odd,
            )
    with builder.if_then(builder.trunc(size, ir.IntType(1))):
        add(builder.sub(size, ir.Constant(_I64, 1)), 0)
    return [builder.fadd(builder.load(even), builder.load(odd)) for even, odd in sums]


def _put(builder: Any, eight: Any, data: Any, place: Any) -> None:
    builder.store(eight, builder.bitcast(builder.gep(data, [place]), _V8.as_pointer()), align=4)


@intrinsic
def dot8(typingctx, scalars, i, vectors, j, out, k):
    """out[k:k+8] = q . v for the row q = scalars[i] (D,) and the block v = vectors[j] (D, 8), all
    C-ordered float32; a one-dimensional ``scalars`` or a two-dimensional ``vectors`` is the row or
    the block itself, with i or j 0. Any D, odd ones too.

    Even and odd dimensions are summed apart, so that two sums run side by side, each from the
    lowest dimension up; then both are added.
    """
    # other arrays are refused at compile time: the instructions below read rows of plain floats
    if not (_floats(scalars, 1, 2) and _floats(vectors, 2, 3) and _floats(out, 1)):
        return None
    signature = types.void(scalars, types.int64, vectors, types.int64, out, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data, shape), (block, _), (put, _) = (
            _array(context, builder, signature.args[place], arguments[place]) for place in (0, 2, 4)
        )
        size = shape[-1]
        pair = (
            _row(builder, (data, size), arguments[1], 1),
            _row(builder, (block, size), arguments[3], LANES),
        )
        _put(builder, _dots(builder, size, [pair])[0], put, arguments[5])
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def dot8_four(typingctx, scalars, rows, first, vectors, out):
    """`dot8` of four rows of ``scalars``, numbers rows[first:first+4], with one block: to the same
    bits, side by side.

    Results go to out[8 first : 8 first + 32].
    """
    if not (_floats(scalars, 2) and _floats(vectors, 2) and _floats(out, 1)):
        return None
    signature = types.void(scalars, rows, types.int64, vectors, out)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data, shape), (chosen, _), (block, _), (put, _) = (
            _array(context, builder, signature.args[place], arguments[place])
            for place in (0, 1, 3, 4)
        )
        places = [builder.add(arguments[2], ir.Constant(_I64, k)) for k in range(4)]
        # row numbers may be of any width
        numbers = [
            context.cast(
                builder, builder.load(builder.gep(chosen, [place])), rows.dtype, types.int64
            )
            for place in places
        ]
        pairs = [(_row(builder, (data, shape[-1]), number, 1), block) for number in numbers]
        for place, whole in zip(places, _dots(builder, shape[-1], pairs), strict=True):
            _put(builder, whole, put, builder.mul(place, ir.Constant(_I64, LANES)))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def score8(typingctx, q, weight, vectors, biases, j, out, k):
    """out[k:k+8] = q . v + weight b for blocks v = vectors[j] (D, 8) and b = biases[j] (8,):
    `dot8`, and then the bias."""
    if not (_floats(q, 1) and _floats(vectors, 3) and _floats(biases, 2) and _floats(out, 1)):
        return None
    signature = types.void(q, types.float32, vectors, biases, types.int64, out, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data, shape), (block, _), (bias, _), (put, _) = (
            _array(context, builder, signature.args[place], arguments[place])
            for place in (0, 2, 3, 5)
        )
        whole = _dots(
            builder, shape[-1], [(data, _row(builder, (block, shape[-1]), arguments[4], LANES))]
        )[0]
        eight = _eight(builder, bias, builder.mul(arguments[4], ir.Constant(_I64, LANES)))
        _put(
            builder,
            builder.fadd(whole, builder.fmul(_spread(builder, arguments[1]), eight)),
            put,
            arguments[6],
        )
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def far8(typingctx, points, i, vectors, j, out):
    """out[:8] = squared distances of points[i] (D,) from eight points, columns of the block
    vectors[j] (D, 8).

    Dimensions are summed in fours, each place of a four apart; then ((0 + 1) + (2 + 3)), and what
    is left over in order.
    """
    if not (_floats(points, 2) and _floats(vectors, 3) and _floats(out, 1)):
        return None
    signature = types.void(points, types.int64, vectors, types.int64, out)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data, shape), (block, _), (put, _) = (
            _array(context, builder, signature.args[place], arguments[place]) for place in (0, 2, 4)
        )
        size = shape[-1]
        point, others = (
            _row(builder, (data, size), arguments[1], 1),
            _row(builder, (block, size), arguments[3], LANES),
        )
        zero = ir.Constant(_V8, [0.0] * LANES)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(4)]
        for each in sums:
            builder.store(zero, each)

        def add(dimension: Any, total: Any) -> None:
            one = _spread(builder, builder.load(builder.gep(point, [dimension]), align=4))
            gap = builder.fsub(
                one, _eight(builder, others, builder.mul(dimension, ir.Constant(_I64, LANES)))
            )
            builder.store(builder.fadd(builder.load(total), builder.fmul(gap, gap)), total)

        fours = builder.lshr(size, ir.Constant(_I64, 2))
        with cgutils.for_range(builder, fours) as loop:
            for place in range(4):
                add(
                    builder.add(
                        builder.mul(loop.index, ir.Constant(_I64, 4)), ir.Constant(_I64, place)
                    ),
                    sums[place],
                )
        first, second = (
            builder.fadd(builder.load(sums[k]), builder.load(sums[k + 1])) for k in (0, 2)
        )
        builder.store(builder.fadd(first, second), sums[0])
        # what is left over of the fours, in order
        done = builder.mul(fours, ir.Constant(_I64, 4))
        with cgutils.for_range(builder, builder.sub(size, done)) as loop:
            add(builder.add(done, loop.index), sums[0])
        _put(builder, builder.load(sums[0]), put, ir.Constant(_I64, 0))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def bounds8(typingctx, numbers, size, absent, out):
    """Lows in out[:8] and highs in out[8:16] of numbers[:size], by place modulo 8, of those that
    are not ``absent``, the lowest number of all; ``size`` is a multiple of 8."""
    if not (_floats(numbers, 1) and _floats(out, 1)):
        return None
    signature = types.void(numbers, types.int64, types.float32, out)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data, _), (put, _) = (
            _array(context, builder, signature.args[place], arguments[place]) for place in (0, 3)
        )
        none, most = _spread(builder, arguments[2]), _spread(builder, builder.fneg(arguments[2]))
        low, high = (
            cgutils.alloca_once_value(builder, most),
            cgutils.alloca_once_value(builder, none),
        )
        builder.store(most, low)
        builder.store(none, high)
        with cgutils.for_range(builder, builder.lshr(arguments[1], ir.Constant(_I64, 3))) as loop:
            eight = _eight(builder, data, builder.mul(loop.index, ir.Constant(_I64, LANES)))
            # an absent number is the lowest of all: it can spoil the lows alone
            there = builder.select(builder.fcmp_ordered("==", eight, none), most, eight)
            builder.store(
                builder.select(
                    builder.fcmp_ordered("<", there, builder.load(low)), there, builder.load(low)
                ),
                low,
            )
            builder.store(
                builder.select(
                    builder.fcmp_ordered(">", eight, builder.load(high)), eight, builder.load(high)
                ),
                high,
            )
        _put(builder, builder.load(low), put, ir.Constant(_I64, 0))
        _put(builder, builder.load(high), put, ir.Constant(_I64, LANES))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def fetch(typingctx, array, i):
    """Ask for array[i] (its first 64 bytes) to be brought near, and do not wait for it."""
    signature = types.void(array, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        made = context.make_array(kind)(context, builder, arguments[0])
        # by stride, in bytes: so it holds for any dtype and layout
        stride = cgutils.unpack_tuple(builder, made.strides)[0]
        byte = ir.IntType(8).as_pointer()
        place = builder.gep(builder.bitcast(made.data, byte), [builder.mul(arguments[1], stride)])
        flag = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        )
        # to read (0), kept as near as can be (3), in the cache of data (1)
        builder.call(
            function, [place, ir.Constant(flag, 0), ir.Constant(flag, 3), ir.Constant(flag, 1)]
        )
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
    """flag[i] += 1 (int64), seen by other threads no earlier than all that this one wrote
    before."""
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
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), []), name
        )
        builder.call(function, [])
        return context.get_dummy_value()

    return signature, generate


@inner
def wait_until(count, i, least):
    """Wait until count[i] has been announced ``least`` times: a moment at full speed, then giving
    way to others."""
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
