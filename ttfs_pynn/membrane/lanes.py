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

__all__ = ["LANES", "absolute", "aligned", "bits", "exp", "exp_and_expm1", "expm1", "fma", "gathered", "gathered_bits",
           "lane_sum", "load", "lowest", "mask_of", "maximum", "minimum", "prefetch", "select", "splat", "sqrt", "store"]

LANES = 8
_LINE = 64  # bytes of a line of the cache

_FLOAT, _I1, _I32, _I64 = ir.DoubleType(), ir.IntType(1), ir.IntType(32), ir.IntType(64)
_FLOATS, _INTEGERS, _BITS = (ir.VectorType(kind, LANES) for kind in (_FLOAT, _I64, _I1))


class _LanesType(types.Type):
    def __init__(self):
        super().__init__(name="Lanes")


class _MaskType(types.Type):
    def __init__(self):
        super().__init__(name="Mask")


lanes, mask = _LanesType(), _MaskType()


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _FLOATS)


@register_model(_MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _BITS)


def _constant(kind, value):
    return ir.Constant(kind, [value] * LANES)


def _in_every_lane(builder, value, kind=_FLOATS):
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES))


def _as_lanes(builder, given, value):
    return value if given == lanes else _in_every_lane(builder, value)


def _called(builder, name, kind, arguments):
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [a.type for a in arguments]), name)
    return builder.call(function, arguments)


def _address(context, builder, array_type, array, index, kind):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


# Memory


@intrinsic
def load(typing, array, i):
    """array[i:i + 8] of contiguous float64 memory; no bounds are checked."""
    def generate(context, builder, sig, args):
        value = builder.load(_address(context, builder, sig.args[0], args[0], args[1], _FLOATS))
        value.align = 8
        return value
    return lanes(array, types.int64), generate


@intrinsic
def store(typing, array, i, x):
    """array[i:i + 8] = x."""
    def generate(context, builder, sig, args):
        target = _address(context, builder, sig.args[0], args[0], args[1], _FLOATS)
        builder.store(args[2], target).align = 8
        return context.get_dummy_value()
    return types.void(array, types.int64, lanes), generate


@intrinsic
def prefetch(typing, array, i):
    """Ask for the line of the cache that holds array[i]."""
    def generate(context, builder, sig, args):
        byte = ir.IntType(8).as_pointer()
        target = _address(context, builder, sig.args[0], args[0], args[1], ir.IntType(8))
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [byte, _I32, _I32, _I32]),
                                                  "llvm.prefetch.p0")
        builder.call(function, [target, ir.Constant(_I32, 0), ir.Constant(_I32, 3), ir.Constant(_I32, 1)])
        return context.get_dummy_value()
    return types.void(array, types.int64), generate


@intrinsic
def gathered(typing, array, places, i):
    """array[places[i]], ..., array[places[i + 7]]; places of int32 or int64."""
    def generate(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        index = context.make_array(sig.args[1])(context, builder, args[1]).data
        found = ir.Constant(_FLOATS, ir.Undefined)
        for lane in range(LANES):
            place = builder.load(builder.gep(index, [builder.add(args[2], ir.Constant(_I64, lane))]))
            place = place if place.type == _I64 else builder.sext(place, _I64)
            found = builder.insert_element(found, builder.load(builder.gep(data, [place])), ir.Constant(_I32, lane))
        return found
    return lanes(array, places, types.int64), generate


@intrinsic
def gathered_bits(typing, words, places, i):
    """The bits at places[i], ..., places[i + 7] (int32) of a bitmap of int32 words, as an integer."""
    def generate(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
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
    """x in every lane."""
    def generate(context, builder, sig, args):
        return _in_every_lane(builder, args[0])
    return lanes(types.float64), generate


def _is_pair(args):
    return len(args) == 2 and lanes in args and all(a == lanes or isinstance(a, types.Float) for a in args)


def _define(symbol, result, build):
    """Give a Python operator a meaning for lanes."""
    class Template(AbstractTemplate):
        def generic(self, args, kws):
            if _is_pair(args):
                return signature(result, *(lanes if a == lanes else types.float64 for a in args))
            return None

    def lower(context, builder, sig, args):
        return build(builder, *(_as_lanes(builder, kind, a) for kind, a in zip(sig.args, args, strict=True)))

    infer_global(symbol)(Template)
    for kinds in ((lanes, lanes), (lanes, types.float64), (types.float64, lanes)):
        lower_builtin(symbol, *kinds)(lower)


for _symbol, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")):
    _define(_symbol, lanes, lambda builder, a, b, name=_name: getattr(builder, name)(a, b))
for _symbol, _name in ((operator.gt, ">"), (operator.ge, ">="), (operator.lt, "<"), (operator.le, "<=")):
    _define(_symbol, mask, lambda builder, a, b, name=_name: builder.fcmp_ordered(name, a, b))


def _define_for_masks(symbol, name):
    class Template(AbstractTemplate):
        def generic(self, args, kws):
            return signature(mask, mask, mask) if tuple(args) == (mask, mask) else None

    infer_global(symbol)(Template)
    lower_builtin(symbol, mask, mask)(lambda context, builder, sig, args: getattr(builder, name)(*args))


_define_for_masks(operator.and_, "and_")
_define_for_masks(operator.or_, "or_")


@intrinsic
def fma(typing, a, b, c):
    """a b + c, rounded once where the processor can."""
    def generate(context, builder, sig, args):
        return _called(builder, "llvm.fmuladd.v8f64", _FLOATS,
                       [_as_lanes(builder, kind, x) for kind, x in zip(sig.args, args, strict=True)])
    return lanes(*(x if x == lanes else types.float64 for x in (a, b, c))), generate


def _unary(name, meaning):
    def function(typing, a):
        def generate(context, builder, sig, args):
            return _called(builder, f"llvm.{name}.v8f64", _FLOATS, args)
        return lanes(lanes), generate

    function.__doc__ = meaning
    return intrinsic(function)


def _binary(name, meaning):
    def function(typing, a, b):
        def generate(context, builder, sig, args):
            return _called(builder, f"llvm.{name}.v8f64", _FLOATS,
                           [_as_lanes(builder, kind, x) for kind, x in zip(sig.args, args, strict=True)])
        return lanes(*(x if x == lanes else types.float64 for x in (a, b))), generate

    function.__doc__ = meaning
    return intrinsic(function)


sqrt = _unary("sqrt", "The square root of each lane.")
absolute = _unary("fabs", "The magnitude of each lane.")
maximum = _binary("maxnum", "The larger of two, lane by lane; of a number and NaN the number.")
minimum = _binary("minnum", "The smaller of two, lane by lane; of a number and NaN the number.")


@intrinsic
def lane_sum(typing, x):
    """The sum of all lanes, in halves."""
    def generate(context, builder, sig, args):
        zero = ir.Constant(_FLOAT, 0.0)
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_FLOAT, [_FLOAT, _FLOATS]),
                                                  "llvm.vector.reduce.fadd.v8f64")
        return builder.call(function, [zero, args[0]], fastmath=("reassoc",))
    return types.float64(lanes), generate


@intrinsic
def select(typing, chosen, a, b):
    """a where the mask is true, else b."""
    def generate(context, builder, sig, args):
        a, b = (_as_lanes(builder, kind, x) for kind, x in zip(sig.args[1:], args[1:], strict=True))
        return builder.select(args[0], a, b)
    return lanes(mask, *(x if x == lanes else types.float64 for x in (a, b))), generate


# Masks as integers


@intrinsic
def bits(typing, chosen):
    """The mask as an integer, lane 0 in the lowest bit."""
    def generate(context, builder, sig, args):
        return builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), _I64)
    return types.int64(mask), generate


@intrinsic
def mask_of(typing, number):
    """The mask of the lowest eight bits."""
    def generate(context, builder, sig, args):
        return builder.bitcast(builder.trunc(args[0], ir.IntType(LANES)), _BITS)
    return mask(types.int64), generate


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
        k = builder.bitcast(args[0], _INTEGERS)
        return builder.bitcast(builder.shl(builder.add(k, _constant(_INTEGERS, 1023)), _constant(_INTEGERS, 52)), _FLOATS)
    return lanes(lanes), generate


@njit(inline="always")
def _scale_and_rest(x):
    """2^k and p with exp(x) = 2^k (1 + p), |p| < 0.42: p = sum_{n=1}^{13} r^n / n!, r = x - k ln 2, by Estrin's scheme."""
    inside = x > _SMALLEST
    x = select(inside, x, _SMALLEST)
    rounded = fma(x, _LOG2_E, _ROUND)
    k = rounded - _ROUND
    r = fma(k, -_LN2_LO, fma(k, -_LN2_HI, x))
    r2 = r * r
    r4 = r2 * r2
    q0, q1, q2 = fma(r, 1.0 / 6.0, splat(0.5)), fma(r, 1.0 / 120.0, 1.0 / 24.0), fma(r, 1.0 / 5040.0, 1.0 / 720.0)
    q3, q4 = fma(r, 1.0 / 362880.0, 1.0 / 40320.0), fma(r, 1.0 / 39916800.0, 1.0 / 3628800.0)
    q5 = fma(r, 1.0 / 6227020800.0, 1.0 / 479001600.0)
    q2 = fma(fma(q5, r2, q4), r4, fma(q3, r2, q2))
    q0 = fma(q2, r4, fma(q1, r2, q0))
    return select(inside, _power_of_two(rounded), 0.0), fma(q0, r2, r)


@njit(inline="always")
def exp(x):
    """exp(x) to 1 ulp, for x of at most 709; 0 below -708."""
    scale, rest = _scale_and_rest(x)
    return fma(scale, rest, scale)


@njit(inline="always")
def expm1(x):
    """exp(x) - 1 to 2 ulp, for x of at most 709."""
    scale, rest = _scale_and_rest(x)
    return fma(scale, rest, scale - 1.0)


@njit(inline="always")
def exp_and_expm1(x):
    """(exp(x), exp(x) - 1) for the price of one."""
    scale, rest = _scale_and_rest(x)
    return fma(scale, rest, scale), fma(scale, rest, scale - 1.0)
