"""Rows of four floats beside `lanes`: eight rows, read or added to at once, in columns of eight lanes.

    a, b, c, d = columns(rows, n)              the columns of rows[n:n + 8], rows of shape (at least n + 8, 4)
    a, b, c, d = columns_at(rows, places, i)   those of rows[places[i]], ..., rows[places[i + 7]]
    add_pairs(rows, places, i, column, x, y)   rows[places[i + k], column] += x[k], and y[k] to the column after it
    add_lanes(rows, places, i, column, x)      the first alone

A row is half a line of the cache: what belongs to one neuron is fetched together. Places (int32) may repeat.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ttfs_pynn.membrane.lanes import LANES, lanes

__all__ = ["add_lanes", "add_pairs", "columns", "columns_at"]

WIDTH = 4
_FLOAT, _I32, _I64 = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
_ROW = ir.VectorType(_FLOAT, WIDTH)


def _data(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, array).data


def _row_address(context, builder, sig, args, lane):
    """Address of rows[places[i + lane]]; args begins with rows, places, i."""
    index = builder.gep(_data(context, builder, sig.args[1], args[1]), [builder.add(args[2], ir.Constant(_I64, lane))])
    place = builder.zext(builder.load(index), _I64)
    return builder.gep(_data(context, builder, sig.args[0], args[0]), [builder.mul(place, ir.Constant(_I64, WIDTH))])


def _load(builder, address, kind):
    value = builder.load(builder.bitcast(address, kind.as_pointer()))
    value.align = 8
    return value


def _shuffle(builder, a, b, places):
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, len(places)), places))


def _joined(builder, vectors):
    """One vector of several, two by two."""
    while len(vectors) > 1:
        size = vectors[0].type.count
        vectors = [_shuffle(builder, a, b, list(range(2 * size))) for a, b in zip(vectors[::2], vectors[1::2], strict=True)]
    return vectors[0]


def _columns(context, builder, kind, rows):
    """The columns of 32 floats, eight rows one after the other."""
    found = [_shuffle(builder, rows, rows, [WIDTH * lane + column for lane in range(LANES)]) for column in range(WIDTH)]
    return context.make_tuple(builder, kind, found)


@intrinsic
def columns(typing, rows, n):
    def generate(context, builder, sig, args):
        address = builder.gep(_data(context, builder, sig.args[0], args[0]), [builder.mul(args[1], ir.Constant(_I64, WIDTH))])
        return _columns(context, builder, sig.return_type, _load(builder, address, ir.VectorType(_FLOAT, WIDTH * LANES)))
    return types.UniTuple(lanes, WIDTH)(rows, types.int64), generate


@intrinsic
def columns_at(typing, rows, places, i):
    def generate(context, builder, sig, args):
        found = [_load(builder, _row_address(context, builder, sig, args, lane), _ROW) for lane in range(LANES)]
        return _columns(context, builder, sig.return_type, _joined(builder, found))
    return types.UniTuple(lanes, WIDTH)(rows, places, types.int64), generate


@intrinsic
def add_pairs(typing, rows, places, i, column, x, y):
    def generate(context, builder, sig, args):
        kind = ir.VectorType(_FLOAT, 2)
        for lane in range(LANES):
            address = builder.gep(_row_address(context, builder, sig, args, lane), [args[3]])
            total = builder.fadd(_load(builder, address, kind), _shuffle(builder, args[4], args[5], [lane, LANES + lane]))
            builder.store(total, builder.bitcast(address, kind.as_pointer())).align = 8
        return context.get_dummy_value()
    return types.void(rows, places, types.int64, types.int64, lanes, lanes), generate


@intrinsic
def add_lanes(typing, rows, places, i, column, x):
    def generate(context, builder, sig, args):
        for lane in range(LANES):
            address = builder.gep(_row_address(context, builder, sig, args, lane), [args[3]])
            part = builder.extract_element(args[4], ir.Constant(_I32, lane))
            builder.store(builder.fadd(builder.load(address), part), address)
        return context.get_dummy_value()
    return types.void(rows, places, types.int64, types.int64, lanes), generate
