"""A headline that drifts, with some of its numbers given."""

import dataclasses

from twin.experiments import rest


def drift(**given: object) -> rest.Drift:
    """A headline with some of its numbers."""
    return dataclasses.replace(
        rest.Drift("x", "1", 1.0, 1.2, (0.2, 0.1, 0.3), (0, 0, 0), 20), **given
    )  # type: ignore[arg-type]
