"""Random numbers: published vectors, purity, independence."""

import numpy as np
import pytest

from twin.ground.draws import Draws, children, philox, unit


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (0xFFFFFFFF, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ],
)
def test_philox_gives_the_published_vectors(word: int, expected: tuple[int, ...]) -> None:
    """Random123's known answers for philox4x32-10: all words zero, all words ones."""
    w = np.uint64(word)
    assert tuple(int(x) for x in philox.py_func(w, w, w, w, w, w)) == expected


def test_compiled_and_plain_philox_agree() -> None:
    """The kernel's numbers are those of the uncompiled function."""
    keys = np.array([0, 1, 2**63 + 5], np.uint64)
    draws = Draws(3, 0)
    stream = draws.stream("a")
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    got = draws.uniforms("a", keys, 7)
    for i, key in enumerate(keys):
        words = philox.py_func(
            stream & mask, stream >> half, key & mask, key >> half, np.uint64(7), np.uint64(0)
        )
        assert [unit.py_func(w) for w in words] == got[i].tolist()


def test_draws_do_not_depend_on_company() -> None:
    """An entity's number is the same alone, in a crowd, and in another order."""
    keys = np.arange(1000, dtype=np.uint64)
    draws = Draws(1, 0)
    crowd = draws.uniforms("x", keys)
    assert (draws.uniforms("x", keys[::-1])[::-1] == crowd).all()
    assert (draws.uniforms("x", keys[500:501]) == crowd[500]).all()


def test_streams_seeds_replicates_and_occasions_differ() -> None:
    """Changing any part of the address changes the numbers, and leaves no correlation."""
    keys = np.arange(20_000, dtype=np.uint64)
    base = Draws(1, 0).uniforms("x", keys)[:, 0]
    others = [
        Draws(1, 0).uniforms("y", keys)[:, 0],
        Draws(2, 0).uniforms("x", keys)[:, 0],
        Draws(1, 1).uniforms("x", keys)[:, 0],
        Draws(1, 0).uniforms("x", keys, 1)[:, 0],
    ]
    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.03


def test_uniforms_are_uniform_and_normals_normal() -> None:
    """Means and variances within 5 standard errors; never 0 or 1."""
    keys = np.arange(100_000, dtype=np.uint64)
    u = Draws(5, 0).uniforms("u", keys)
    z = Draws(5, 0).normals("z", keys, 3)
    assert 0 < u.min() < u.max() < 1
    assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / u.size)
    assert abs(z.mean()) < 5 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / z.size)


def test_children_are_distinct() -> None:
    """A million descendants of a thousand parents have a million keys."""
    parents = np.repeat(np.arange(1000, dtype=np.uint64), 1000)
    keys = children(parents, np.tile(np.arange(1000), 1000))
    assert len(np.unique(keys)) == len(keys)
