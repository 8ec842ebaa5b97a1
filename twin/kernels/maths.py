"""Functions that the compiler can vectorise: only add, multiply, divide, compare."""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import inlined

_F = np.float32
_A1, _A3, _A5, _A7 = (
    _F(4.89352455891786e-03),
    _F(6.37261928875436e-04),
    _F(1.48572235717979e-05),
    _F(5.12229709037114e-08),
)
_A9, _A11, _A13 = _F(-8.60467152213735e-11), _F(2.00018790482477e-13), _F(-2.76076847742355e-16)
_B0, _B2, _B4, _B6 = (
    _F(4.89352518554385e-03),
    _F(2.26843463243900e-03),
    _F(1.18534705686654e-04),
    _F(1.19825839466702e-06),
)
_HALF, _MOST = _F(0.5), _F(7.90531110763549805)


@inlined
def sigmoid32(x):
    """Logistic function of a float32, error below 1e-6: (1 + tanh(x/2))/2 with tanh as a 13/6
    rational minimax.

    Coefficients: the float approximation of tanh in Eigen (MathFunctionsImpl.h, MPL-2.0), a
    published table of numbers.
    """
    # beyond the bound tanh is 1 in float32, and the rational grows without end
    y = min(max(x * _HALF, -_MOST), _MOST)
    z = y * y
    # Horner's scheme: odd powers above the fraction line, even ones below
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
