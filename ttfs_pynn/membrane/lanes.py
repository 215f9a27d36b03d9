"""Eight floats at a time inside compiled loops, which LLVM lays out on what the processor has (AVX-512, AVX2, SSE2, NEON).

    x = load(array, i)              array[i], ..., array[i + 7] of contiguous memory, whatever the shape of the array
    y = x * 0.5 + splat(1.0)        arithmetic of lanes with lanes or with one float, which stands in every lane
    m = (y > x) & (x >= 0.0)        a mask; select(m, x, y) takes x where it is true
    hits = bits(m)                  the mask as an integer, lane 0 in the lowest bit

LLVM leaves loops over elements scalar where they hold a function call, a branch or two results; these are not. There are no
slices in such loops either: the reference count of every slice costs more than eight multiplications.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

from ttfs_pynn.membrane.compiling import inlined

__all__ = ["LANES", "absolute", "address", "aligned", "as_integers", "bits", "borrowed", "compress", "count", "exp",
           "exp_and_expm1", "expm1", "filled", "filled_bits", "fma", "gathered", "gathered_bits", "gathered_like", "lane_max",
           "lane_sum", "load", "load_like", "load_where", "log1p", "lowest", "mask_of", "maximum", "minimum", "prefetch", "ramp",
           "select", "size_of", "splat", "splat_16", "splat_32", "sqrt", "store", "store_where"]

LANES = 8
_LINE = 64  # bytes of a line of the cache

_FLOAT, _I1, _I32, _I64 = ir.DoubleType(), ir.IntType(1), ir.IntType(32), ir.IntType(64)
_FLOATS, _BITS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_I1, LANES)


class _LanesType(types.Type):
    """Eight floats, or `size` of them in as many registers as that takes."""

    def __init__(self, size):
        self.size = size
        super().__init__(name=f"Lanes({size})")


class _MaskType(types.Type):
    def __init__(self, size):
        self.size = size
        super().__init__(name=f"Mask({size})")


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(_FLOAT, kind.size))


@register_model(_MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(_I1, kind.size))


class _AddressType(types.Type):
    """Where the data of an array are; `kind` of its elements."""

    def __init__(self, kind):
        self.kind = kind
        super().__init__(name=f"Address({kind})")


@register_model(_AddressType)
class _AddressModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, manager.lookup(kind.kind).get_data_type().as_pointer())


lanes, mask = _LanesType(LANES), _MaskType(LANES)


def _constant(kind, value):
    return ir.Constant(kind, [value] * kind.count)


def _in_every_lane(builder, value, size=LANES):
    kind = ir.VectorType(value.type, size)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_I32, size), [0] * size))


def _is_lanes(kind):
    return isinstance(kind, _LanesType)


def _joined(*kinds):
    """The lanes of which one is at least, each with as many floats, beside numbers; None where they do not go together."""
    sizes = {kind.size for kind in kinds if _is_lanes(kind)}
    if len(sizes) != 1 or not all(_is_lanes(kind) or isinstance(kind, types.Float) for kind in kinds):
        return None
    return _LanesType(sizes.pop())


def _signature(result, *kinds):
    return result(*(kind if _is_lanes(kind) or isinstance(kind, _MaskType) else types.float64 for kind in kinds))


def _widened(builder, kinds, values):
    """The values as lanes of one size."""
    size = next(kind.size for kind in kinds if _is_lanes(kind))
    return [value if _is_lanes(kind) else _in_every_lane(builder, value, size)
            for kind, value in zip(kinds, values, strict=True)]


def _called(builder, name, kind, arguments):
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [a.type for a in arguments]), name)
    return builder.call(function, arguments)


def _data(context, builder, array_type, array):
    return array if isinstance(array_type, _AddressType) else context.make_array(array_type)(context, builder, array).data


def _address(context, builder, array_type, array, index, kind):
    return builder.bitcast(builder.gep(_data(context, builder, array_type, array), [index]), kind.as_pointer())


# Memory


@intrinsic
def address(typing, array):
    """The data of a contiguous array, to be read by place (address[k], which knows no negative k) and by the functions below.

    It holds no reference, so loops that use it count none. Take it of an argument of a function only: what the function
    makes itself may be freed after its last use by name.
    """
    def generate(context, builder, sig, args):
        return context.make_array(sig.args[0])(context, builder, args[0]).data
    return _AddressType(array.dtype)(array), generate


@intrinsic
def borrowed(typing, array):
    """The same array, of which no references are counted: in loops that hand arrays on, counting took half of the time. Whoever
    borrows keeps the array itself until after the last use."""
    def generate(context, builder, sig, args):
        found = context.make_array(sig.args[0])(context, builder, args[0])
        found.meminfo = ir.Constant(found.meminfo.type, None)
        return found._getvalue()
    return array(array), generate


@infer_global(operator.getitem)
class _AddressItem(AbstractTemplate):
    def generic(self, args, kws):
        if isinstance(args[0], _AddressType) and isinstance(args[1], types.Integer):
            return signature(args[0].kind, args[0], types.int64)
        return None


@infer_global(operator.setitem)
class _SetAddressItem(AbstractTemplate):
    def generic(self, args, kws):
        if isinstance(args[0], _AddressType) and isinstance(args[1], types.Integer):
            return signature(types.none, args[0], types.int64, args[0].kind)
        return None


@lower_builtin(operator.setitem, _AddressType, types.Integer, types.Any)
def _set_element(context, builder, sig, args):
    value = context.data_model_manager[sig.args[2]].as_data(builder, args[2])
    builder.store(value, builder.gep(args[0], [args[1]]))
    return context.get_dummy_value()


@intrinsic
def as_integers(typing, floats):
    """The address of integers that stand in the bits of floats."""
    def generate(context, builder, sig, args):
        return builder.bitcast(args[0], _I64.as_pointer())
    return _AddressType(types.int64)(floats), generate


@lower_builtin(operator.getitem, _AddressType, types.Integer)
def _element(context, builder, sig, args):
    return context.data_model_manager[sig.return_type].load_from_data_pointer(builder, builder.gep(args[0], [args[1]]))


@intrinsic
def load(typing, array, i):
    """array[i:i + 8] of contiguous float64 memory; no bounds are checked."""
    def generate(context, builder, sig, args):
        value = builder.load(_address(context, builder, sig.args[0], args[0], args[1], _FLOATS))
        value.align = 8
        return value
    return lanes(array, types.int64), generate


@intrinsic
def load_like(typing, array, i, like):
    """As `load`, as many floats as `like` has."""
    def generate(context, builder, sig, args):
        value = builder.load(_address(context, builder, sig.args[0], args[0], args[1], args[2].type))
        value.align = 8
        return value
    return like(array, types.int64, like), generate


@intrinsic
def load_where(typing, array, i, chosen, other):
    """As `load_like` for the chosen lanes; of the others nothing is read, they are those of `other`."""
    def generate(context, builder, sig, args):
        source, size = _address(context, builder, sig.args[0], args[0], args[1], args[3].type), sig.args[3].size
        return _called(builder, f"llvm.masked.load.v{size}f64.p0", args[3].type, [source, ir.Constant(_I32, 8), args[2], args[3]])
    return other(array, types.int64, chosen, other), generate


@intrinsic
def store(typing, array, i, x):
    """array[i:i + 8] = x, or as many as x has."""
    def generate(context, builder, sig, args):
        target = _address(context, builder, sig.args[0], args[0], args[1], args[2].type)
        builder.store(args[2], target).align = 8
        return context.get_dummy_value()
    return types.void(array, types.int64, x), generate


@intrinsic
def store_where(typing, array, i, x, chosen):
    """As `store`, the chosen lanes alone."""
    def generate(context, builder, sig, args):
        target = _address(context, builder, sig.args[0], args[0], args[1], args[2].type)
        _called(builder, f"llvm.masked.store.v{sig.args[2].size}f64.p0", ir.VoidType(),
                [args[2], target, ir.Constant(_I32, 8), args[3]])
        return context.get_dummy_value()
    return types.void(array, types.int64, x, chosen), generate


@intrinsic
def compress(typing, array, i, x, chosen):
    """Store the chosen lanes of x one after the other, from array[i] on."""
    def generate(context, builder, sig, args):
        target = _address(context, builder, sig.args[0], args[0], args[1], _FLOAT)
        _called(builder, f"llvm.masked.compressstore.v{sig.args[2].size}f64", ir.VoidType(), [args[2], target, args[3]])
        return context.get_dummy_value()
    return types.void(array, types.int64, x, chosen), generate


@intrinsic
def prefetch(typing, array, i):
    """Ask for the line of the cache that holds array[i]."""
    def generate(context, builder, sig, args):
        target = _address(context, builder, sig.args[0], args[0], args[1], ir.IntType(8))
        _called(builder, "llvm.prefetch.p0", ir.VoidType(), [target, *(ir.Constant(_I32, k) for k in (0, 3, 1))])
        return context.get_dummy_value()
    return types.void(array, types.int64), generate


def _gather(context, builder, sig, args):
    size = sig.return_type.size
    wide, kind = ir.VectorType(_I64, size), _data(context, builder, sig.args[1], args[1]).type.pointee
    narrow = ir.VectorType(kind, size)
    place = builder.load(_address(context, builder, sig.args[1], args[1], args[2], narrow))
    place.align = kind.width // 8
    place = place if narrow == wide else builder.sext(place, wide)
    first = _in_every_lane(builder, builder.ptrtoint(_data(context, builder, sig.args[0], args[0]), _I64), size)
    addresses = builder.inttoptr(builder.add(first, builder.shl(place, _constant(wide, 3))),
                                 ir.VectorType(_FLOAT.as_pointer(), size))
    floats = ir.VectorType(_FLOAT, size)
    return _called(builder, f"llvm.masked.gather.v{size}f64.v{size}p0", floats,
                   [addresses, ir.Constant(_I32, 8), _constant(ir.VectorType(_I1, size), 1), _constant(floats, 0.0)])


@intrinsic
def gathered(typing, array, places, i):
    """array[places[i]], ..., array[places[i + 7]]; places of int32 or int64."""
    return lanes(array, places, types.int64), _gather


@intrinsic
def gathered_like(typing, array, places, i, like):
    """As `gathered`, as many floats as `like` has."""
    return like(array, places, types.int64, like), _gather


@intrinsic
def gathered_bits(typing, words, places, i):
    """The bits at places[i], ..., places[i + 7] (int32) of a bitmap of int32 words, as an integer."""
    def generate(context, builder, sig, args):
        data = _data(context, builder, sig.args[0], args[0])
        of_eight = ir.VectorType(_I32, LANES)
        source = _address(context, builder, sig.args[1], args[1], args[2], of_eight)
        place = builder.load(source)
        place.align = 4
        word_place = builder.lshr(place, _constant(of_eight, 5))
        found = ir.Constant(of_eight, ir.Undefined)
        for lane in range(LANES):
            at = builder.zext(builder.extract_element(word_place, ir.Constant(_I32, lane)), _I64)
            found = builder.insert_element(found, builder.load(builder.gep(data, [at])), ir.Constant(_I32, lane))
        hit = builder.trunc(builder.lshr(found, builder.and_(place, _constant(of_eight, 31))), _BITS)
        return builder.zext(builder.bitcast(hit, ir.IntType(LANES)), _I64)
    return types.int64(words, places, types.int64), generate


@njit(cache=True, error_model="numpy")
def aligned(size):
    """An empty array that begins at a line of the cache, with room for `load` at its last place."""
    line = _LINE // 8
    array = np.empty(size + 2 * line)
    skip = (_LINE - array.ctypes.data % _LINE) % _LINE // 8
    return array[skip:skip + size + line]


# Arithmetic and comparison


@intrinsic
def splat(typing, x):
    """x in each of eight lanes."""
    def generate(context, builder, sig, args):
        return _in_every_lane(builder, args[0])
    return lanes(types.float64), generate


@intrinsic
def splat_16(typing, x):
    """x in each of 16 lanes: two registers of eight, which the processor works on side by side."""
    def generate(context, builder, sig, args):
        return _in_every_lane(builder, args[0], 2 * LANES)
    return _LanesType(2 * LANES)(types.float64), generate


@intrinsic
def splat_32(typing, x):
    """x in each of 32 lanes."""
    def generate(context, builder, sig, args):
        return _in_every_lane(builder, args[0], 4 * LANES)
    return _LanesType(4 * LANES)(types.float64), generate


@intrinsic
def filled(typing, x, like):
    """x in as many lanes as `like` has."""
    def generate(context, builder, sig, args):
        return _in_every_lane(builder, args[0], sig.args[1].size)
    return like(types.float64, like), generate


@intrinsic
def filled_bits(typing, number, like):
    """An integer, in the bits of a float that nothing is computed with, in as many lanes as `like` has."""
    def generate(context, builder, sig, args):
        return builder.bitcast(_in_every_lane(builder, args[0], sig.args[1].size), args[1].type)
    return like(types.int64, like), generate


@intrinsic
def size_of(typing, x):
    """How many lanes x has."""
    def generate(context, builder, sig, args):
        return ir.Constant(_I64, sig.args[0].size)
    return types.int64(x), generate


@intrinsic
def ramp(typing, first, like):
    """first, first + 1, ... in as many lanes as `like` has."""
    def generate(context, builder, sig, args):
        size = sig.args[1].size
        steps = ir.Constant(ir.VectorType(_FLOAT, size), [float(k) for k in range(size)])
        return builder.fadd(_in_every_lane(builder, args[0], size), steps)
    return like(types.float64, like), generate


def _define(symbol, has_mask, build):
    """Give a Python operator a meaning for lanes."""
    class Template(AbstractTemplate):
        def generic(self, args, kws):
            kind = _joined(*args) if len(args) == 2 else None
            return signature(_MaskType(kind.size) if has_mask else kind,
                             *(a if _is_lanes(a) else types.float64 for a in args)) if kind else None

    def lower(context, builder, sig, args):
        return build(builder, *_widened(builder, sig.args, args))

    infer_global(symbol)(Template)
    for kinds in ((_LanesType, _LanesType), (_LanesType, types.Float), (types.Float, _LanesType)):
        lower_builtin(symbol, *kinds)(lower)


for _symbol, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")):
    _define(_symbol, False, lambda builder, a, b, name=_name: getattr(builder, name)(a, b))
for _symbol, _name in ((operator.gt, ">"), (operator.ge, ">="), (operator.lt, "<"), (operator.le, "<=")):
    _define(_symbol, True, lambda builder, a, b, name=_name: builder.fcmp_ordered(name, a, b))


def _define_for_masks(symbol, name):
    class Template(AbstractTemplate):
        def generic(self, args, kws):
            return signature(args[0], *args) if len(args) == 2 and isinstance(args[0], _MaskType) and args[0] == args[1] else None

    infer_global(symbol)(Template)
    lower_builtin(symbol, _MaskType, _MaskType)(lambda context, builder, sig, args: getattr(builder, name)(*args))


_define_for_masks(operator.and_, "and_")
_define_for_masks(operator.or_, "or_")


def _elementwise(name):
    """What an LLVM function does lane by lane."""
    def generate(context, builder, sig, args):
        arguments = _widened(builder, sig.args, args)
        return _called(builder, f"llvm.{name}.v{sig.return_type.size}f64", arguments[0].type, arguments)
    return generate


@intrinsic
def fma(typing, a, b, c):
    """a b + c, rounded once where the processor can."""
    return _signature(_joined(a, b, c), a, b, c), _elementwise("fmuladd")


@intrinsic
def sqrt(typing, a):
    """The square root of each lane."""
    return a(a), _elementwise("sqrt")


@intrinsic
def absolute(typing, a):
    """The magnitude of each lane."""
    return a(a), _elementwise("fabs")


@intrinsic
def maximum(typing, a, b):
    """The larger of two, lane by lane; of a number and NaN the number."""
    return _signature(_joined(a, b), a, b), _elementwise("maxnum")


@intrinsic
def minimum(typing, a, b):
    """The smaller of two, lane by lane; of a number and NaN the number."""
    return _signature(_joined(a, b), a, b), _elementwise("minnum")


@intrinsic
def lane_max(typing, x):
    """The largest lane."""
    def generate(context, builder, sig, args):
        return _called(builder, f"llvm.vector.reduce.fmax.v{sig.args[0].size}f64", _FLOAT, args)
    return types.float64(x), generate


@intrinsic
def lane_sum(typing, x):
    """The sum of all lanes, in halves."""
    def generate(context, builder, sig, args):
        name, arguments = f"llvm.vector.reduce.fadd.v{sig.args[0].size}f64", [ir.Constant(_FLOAT, 0.0), args[0]]
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_FLOAT, [a.type for a in arguments]), name)
        return builder.call(function, arguments, fastmath=("reassoc",))
    return types.float64(x), generate


@intrinsic
def select(typing, chosen, a, b):
    """a where the mask is true, else b."""
    def generate(context, builder, sig, args):
        size = sig.args[0].size
        a, b = (x if _is_lanes(kind) else _in_every_lane(builder, x, size)
                for kind, x in zip(sig.args[1:], args[1:], strict=True))
        return builder.select(args[0], a, b)
    return _signature(_LanesType(chosen.size), chosen, a, b), generate


# Masks as integers


@intrinsic
def bits(typing, chosen):
    """The mask as an integer, lane 0 in the lowest bit."""
    def generate(context, builder, sig, args):
        return builder.zext(builder.bitcast(args[0], ir.IntType(sig.args[0].size)), _I64)
    return types.int64(chosen), generate


@intrinsic
def mask_of(typing, number):
    """The mask of the lowest eight bits."""
    def generate(context, builder, sig, args):
        return builder.bitcast(builder.trunc(args[0], ir.IntType(LANES)), _BITS)
    return mask(types.int64), generate


@intrinsic
def count(typing, number):
    """How many bits are set."""
    def generate(context, builder, sig, args):
        return _called(builder, "llvm.ctpop.i64", _I64, args)
    return types.int64(types.int64), generate


@intrinsic
def lowest(typing, number):
    """The place of the lowest bit that is set, of a number that is not 0."""
    def generate(context, builder, sig, args):
        return _called(builder, "llvm.cttz.i64", _I64, [args[0], ir.Constant(_I1, 1)])
    return types.int64(types.int64), generate


# Exponentials

_ROUND = 6755399441055744.0  # 1.5 2^52: a number added to it is rounded to a whole one, which stands in the lowest bits
_LOG2_E = 1.4426950408889634
_LN2_HI, _LN2_LO = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SMALLEST = -708.0  # its exponential is the smallest that has all digits


@intrinsic
def _power_of_two(typing, rounded):
    """2^k of rounded = _ROUND + k."""
    def generate(context, builder, sig, args):
        integers = ir.VectorType(_I64, sig.args[0].size)
        k = builder.add(builder.bitcast(args[0], integers), _constant(integers, 1023))
        return builder.bitcast(builder.shl(k, _constant(integers, 52)), args[0].type)
    return rounded(rounded), generate


@inlined
def _scale_and_rest(x):
    """2^k and p with exp(x) = 2^k (1 + p), |p| < 0.42: p = sum_{n=1}^{13} r^n / n!, r = x - k ln 2, by Estrin's scheme."""
    inside = x > _SMALLEST
    x = select(inside, x, _SMALLEST)
    rounded = fma(x, _LOG2_E, _ROUND)
    k = rounded - _ROUND
    r = fma(k, -_LN2_LO, fma(k, -_LN2_HI, x))
    r2 = r * r
    r4 = r2 * r2
    q0, q1, q2 = fma(r, 1.0 / 6.0, 0.5), fma(r, 1.0 / 120.0, 1.0 / 24.0), fma(r, 1.0 / 5040.0, 1.0 / 720.0)
    q3, q4 = fma(r, 1.0 / 362880.0, 1.0 / 40320.0), fma(r, 1.0 / 39916800.0, 1.0 / 3628800.0)
    q5 = fma(r, 1.0 / 6227020800.0, 1.0 / 479001600.0)
    q2 = fma(fma(q5, r2, q4), r4, fma(q3, r2, q2))
    q0 = fma(q2, r4, fma(q1, r2, q0))
    return select(inside, _power_of_two(rounded), 0.0), fma(q0, r2, r)


@inlined
def exp(x):
    """exp(x) to 1 ulp, for x of at most 709; 0 below -708."""
    scale, rest = _scale_and_rest(x)
    return fma(scale, rest, scale)


@inlined
def expm1(x):
    """exp(x) - 1 to 2 ulp, for x of at most 709."""
    scale, rest = _scale_and_rest(x)
    return fma(scale, rest, scale - 1.0)


@inlined
def exp_and_expm1(x):
    """(exp(x), exp(x) - 1) for the price of one."""
    scale, rest = _scale_and_rest(x)
    return fma(scale, rest, scale), fma(scale, rest, scale - 1.0)


# Logarithm

_SQRT_HALF = 0.7071067811865476


@intrinsic
def _exponent(typing, x):
    """k with x = 2^k m, m from sqrt(1/2) to sqrt(2), as a float; x > 0 and normal."""
    def generate(context, builder, sig, args):
        integers = ir.VectorType(_I64, sig.args[0].size)
        shift = int(np.float64(1.0).view(np.int64) - np.float64(_SQRT_HALF).view(np.int64))
        shifted = builder.add(builder.bitcast(args[0], integers), _constant(integers, shift))
        k = builder.sub(builder.ashr(shifted, _constant(integers, 52)), _constant(integers, 1023))
        return builder.sitofp(k, args[0].type)
    return x(x), generate


@inlined
def log1p(x):
    """log(1 + x) to 4 ulp, for x > -1: with u = 1 + x = 2^k (1 + f), log u = k ln 2 + 2 artanh(f / (2 + f)), and what u lost
    of x by rounding divided by u."""
    u = x + 1.0
    k = _exponent(u)
    f = u * _power_of_two(_ROUND - k) - 1.0
    s = f / (f + 2.0)
    z = s * s
    rest = fma(z, 1.0 / 23.0, 1.0 / 21.0)
    rest = fma(rest, z, 1.0 / 19.0)
    rest = fma(rest, z, 1.0 / 17.0)
    rest = fma(rest, z, 1.0 / 15.0)
    rest = fma(rest, z, 1.0 / 13.0)
    rest = fma(rest, z, 1.0 / 11.0)
    rest = fma(rest, z, 1.0 / 9.0)
    rest = fma(rest, z, 1.0 / 7.0)
    rest = fma(rest, z, 1.0 / 5.0)
    rest = fma(rest, z, 1.0 / 3.0)
    # 2 artanh(s) = f - s f + 2 s z rest: f and its product with s hold more digits than 2 s
    lost = (x - (u - 1.0)) / u
    return fma(k, _LN2_HI, f - (f * s - fma(2.0 * s, z * rest, fma(k, _LN2_LO, lost))))
