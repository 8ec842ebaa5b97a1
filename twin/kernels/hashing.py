"""Hash functions that turn a 64-bit ID into a slot of a fixed table.

``mix64``  mix64(key ^ mix64(salt)) mod size
``md5``    MD5 (RFC 1321) of the ID's decimal digits, read as one 128-bit number, mod size; a salt
           other than 0 is appended as ``:salt``. Without salt this is
           ``int(md5(str(id)).hexdigest(), 16) % size``, which gives the counts of Monolith's Table
           1.
"""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import kernel
from twin.ground.draws import mix64

FUNCTIONS = ("mix64", "md5")
MIX64, MD5 = range(2)
_SINES = np.floor(np.abs(np.sin(np.arange(1, 65))) * 2.0**32).astype(np.uint64)
_TURNS = np.array([7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21], np.uint64)
_MASK = np.uint64(0xFFFFFFFF)
_BEGIN = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], np.uint64)
_8, _32 = np.uint64(8), np.uint64(32)


@kernel
def _digits(number, block, at):
    """Write the decimal digits of a number; returns the place behind them."""
    end, left = at + 1, number // np.uint64(10)
    while left > 0:
        end += 1
        left //= np.uint64(10)
    for place in range(end - 1, at - 1, -1):
        block[place] = np.uint8(48) + np.uint8(number % np.uint64(10))
        number //= np.uint64(10)
    return end


@kernel
def _digest(block, length, out):
    """MD5 of the first ``length`` (at most 55) bytes of ``block`` (64 bytes, zero behind them) into
    four words."""
    # padding of RFC 1321: a one bit, zeros, the length in bits; 55 bytes leave room for it
    block[length] = np.uint8(128)
    word = np.zeros(16, np.uint64)
    for i in range(56):
        word[i >> 2] |= np.uint64(block[i]) << (_8 * np.uint64(i & 3))
    word[14] = np.uint64(8 * length)
    a, b, c, d = _BEGIN[0], _BEGIN[1], _BEGIN[2], _BEGIN[3]
    for i in range(64):
        if i < 16:
            f, g = (b & c) | (~b & d), i
        elif i < 32:
            f, g = (d & b) | (~d & c), (5 * i + 1) & 15
        elif i < 48:
            f, g = b ^ c ^ d, (3 * i + 5) & 15
        else:
            f, g = c ^ (b | (~d & _MASK)), (7 * i) & 15
        # 32-bit arithmetic in 64-bit words: every sum and every rotation is masked
        f = ((f & _MASK) + a + _SINES[i] + word[g]) & _MASK
        turn = _TURNS[4 * (i >> 4) + (i & 3)]
        a, d, c, b = d, c, b, (b + (((f << turn) | (f >> (_32 - turn))) & _MASK)) & _MASK
    out[0], out[1] = (_BEGIN[0] + a) & _MASK, (_BEGIN[1] + b) & _MASK
    out[2], out[3] = (_BEGIN[2] + c) & _MASK, (_BEGIN[3] + d) & _MASK


@kernel
def hashed(keys, function, salt, size, out):
    """Residue of every key's hash modulo ``size`` (at most 2^48)."""
    if function == MIX64:
        spice = mix64(np.uint64(salt))
        for i in range(len(keys)):
            out[i] = mix64(keys[i] ^ spice) % np.uint64(size)
        return
    words = np.empty(4, np.uint64)
    for i in range(len(keys)):
        # new for every key: `_digest` needs zeros behind the digits
        block = np.zeros(64, np.uint8)
        length = _digits(keys[i], block, 0)
        if salt:
            block[length] = np.uint8(58)
            length = _digits(np.uint64(salt), block, length + 1)
        _digest(block, length, words)
        # the digest as one number, highest byte first; up to a size of 2^48 no step leaves 64 bits
        rest = np.uint64(0)
        for k in range(16):
            byte = (words[k >> 2] >> (_8 * np.uint64(k & 3))) & np.uint64(255)
            rest = ((rest << _8) | byte) % np.uint64(size)
        out[i] = rest
