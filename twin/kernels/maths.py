"""Functions that the compiler can vectorise: only add, multiply, divide, compare."""

from __future__ import annotations

import numpy as np

from twin.compiled import inlined

_F = np.float32
_A1, _A3, _A5, _A7 = _F(4.89352455891786e-03), _F(6.37261928875436e-04), _F(1.48572235717979e-05), _F(5.12229709037114e-08)
_A9, _A11, _A13 = _F(-8.60467152213735e-11), _F(2.00018790482477e-13), _F(-2.76076847742355e-16)
_B0, _B2, _B4, _B6 = _F(4.89352518554385e-03), _F(2.26843463243900e-03), _F(1.18534705686654e-04), _F(1.19825839466702e-06)
_HALF, _MOST = _F(0.5), _F(7.90531110763549805)


@inlined
def sigmoid32(x):
    """Logistic function of a float32, error below 1e-6: (1 + tanh(x/2))/2 with tanh as a 13/6 rational minimax.

    Coefficients: the float approximation of tanh in Eigen (MathFunctionsImpl.h, MPL-2.0), a published table of numbers.
    """
    y = min(max(x * _HALF, -_MOST), _MOST)
    z = y * y
    p = z * _A13 + _A11
    p = z * p + _A9
    p = z * p + _A7
    p = z * p + _A5
    p = z * p + _A3
    p = (z * p + _A1) * y
    q = z * _B6 + _B4
    q = z * q + _B2
    q = z * q + _B0
    return _HALF + _HALF * (p / q)


@inlined
def dot8(q, v):
    """q . v as eight numbers, for eight columns at once, v (D, 8), which the compiler packs into one register: even and odd dimensions
    apart, so that two sums run side by side; always in this order, so that the same numbers give the same bits wherever they are summed."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = np.float32(0)
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = np.float32(0)
    for h in range(v.shape[0] // 2):
        d = 2 * h
        x, y = q[d], q[d + 1]
        a0 += x * v[d, 0]
        a1 += x * v[d, 1]
        a2 += x * v[d, 2]
        a3 += x * v[d, 3]
        a4 += x * v[d, 4]
        a5 += x * v[d, 5]
        a6 += x * v[d, 6]
        a7 += x * v[d, 7]
        b0 += y * v[d + 1, 0]
        b1 += y * v[d + 1, 1]
        b2 += y * v[d + 1, 2]
        b3 += y * v[d + 1, 3]
        b4 += y * v[d + 1, 4]
        b5 += y * v[d + 1, 5]
        b6 += y * v[d + 1, 6]
        b7 += y * v[d + 1, 7]
    if v.shape[0] % 2:
        d = v.shape[0] - 1
        x = q[d]
        a0, a1, a2, a3 = a0 + x * v[d, 0], a1 + x * v[d, 1], a2 + x * v[d, 2], a3 + x * v[d, 3]
        a4, a5, a6, a7 = a4 + x * v[d, 4], a5 + x * v[d, 5], a6 + x * v[d, 6], a7 + x * v[d, 7]
    return a0 + b0, a1 + b1, a2 + b2, a3 + b3, a4 + b4, a5 + b5, a6 + b6, a7 + b7
