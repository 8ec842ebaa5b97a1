"""Nothing moves unnoticed. Start: to 1e-6. After ten days: counts of a small world within 2 % and
2, since another processor's last bit of a logarithm may flip a choice, and a changed mechanism
moves far more than that."""

import pytest

from tests.golden.values import computed, kept


@pytest.fixture(scope="module")
def both() -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    return computed(), kept()


@pytest.mark.parametrize(
    ("moment", "relative", "absolute"), [("start", 1e-6, 1e-9), ("ten days", 0.02, 2.0)]
)
def test_golden(
    both: tuple[dict[str, dict[str, float]], ...], moment: str, relative: float, absolute: float
) -> None:
    """Every reading is as it was agreed (python -m tests.golden.update writes them anew)."""
    now, before = (side[moment] for side in both)
    assert sorted(now) == sorted(before)
    small = {
        name: min(absolute, 0.02) if abs(value) < 1.5 else absolute
        for name, value in before.items()
    }
    odd = {
        name: (before[name], value)
        for name, value in now.items()
        if value != pytest.approx(before[name], rel=relative, abs=small[name])
    }
    assert not odd
