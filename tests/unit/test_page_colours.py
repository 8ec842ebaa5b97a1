"""Text on reports can be read: contrast of at least 4.5 to 1 (WCAG 2.2, AA), in both modes."""

import re

import pytest

from tests.conftest import ROOT

STYLE = (ROOT / "twin" / "readers" / "templates" / "style.html").read_text(encoding="utf-8")
MODES = {
    mode: dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})\b", block))
    for mode, block in zip(("light", "dark"), re.findall(r":root \{(.*?)\}", STYLE), strict=True)
}


def luminance(colour: str) -> float:
    """Relative luminance of ``#rgb`` or ``#rrggbb``, as WCAG 2.2 defines it."""
    digits = colour.lstrip("#")
    pairs = [each * 2 for each in digits] if len(digits) == 3 else re.findall("..", digits)
    parts = [int(pair, 16) / 255 for pair in pairs]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """From 1 (none) to 21 (black on white)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    """Black on white, and the grey that the standard gives as the lightest on white."""
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "soft", "good", "bad", "mark", "link"])
def test_text_can_be_read(mode: str, text: str) -> None:
    """On the page and on cards."""
    colours = MODES[mode]
    for ground in ("page", "card"):
        assert contrast(colours[text], colours[ground]) >= 4.5, f"{text} on {ground}"
