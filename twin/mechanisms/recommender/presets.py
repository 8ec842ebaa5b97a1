"""Published feed weights as presets of the value model (facts with their source; heads that the twin does not have are left out).

``x_2023``: twitter/the-algorithm-ml, projects/home/recap/README.md, April 2023. Long view stands for video_playback50; good
click and profile click need an engagement after the click and have no head here; negative feedback is hide.
``x_2026``: xai-org/x-algorithm, home-mixer/params/param.rs, August 2026. Long view is the quality view, hide is not interested.
``likes``: likes alone. ``equal``: each weighted probability counts about alike (weights are inverse base rates, KuaiRand-Pure),
which is how the 2023 README says that weights are first set.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.kernels.training import HEADS

Preset = Literal["x_2023", "x_2026", "likes", "equal"]

WEIGHTS: dict[str, dict[str, float]] = {
    "x_2023": {"long_view": 0.005, "like": 0.5, "comment": 13.5, "reshare": 1.0, "hide": -74.0, "report": -369.0},
    "x_2026": {"click": 0.4, "long_view": 0.05, "like": 0.5, "comment": 5.0, "reshare": 1.0, "follow": 4.0, "hide": -43.2,
               "report": -234.0},
    "likes": {"like": 1.0},
    "equal": {"click": 2.2, "long_view": 3.0, "like": 54.1, "comment": 393.0, "reshare": 1040.0, "follow": 931.0,
              "hide": -2024.0},
}


def weights(preset: str, override: dict[str, float | None]) -> NDArray[np.float32]:
    """Weights in the order of HEADS: the preset's, with every override that is not None."""
    base = WEIGHTS[preset]
    chosen = [override[head] if override.get(head) is not None else base.get(head, 0.0) for head in HEADS]
    return np.array(chosen, np.float32)
