"""A headline that drifts, with some of its numbers given."""

from twin.experiments import drifts


def drift(**given: object) -> drifts.Drift:
    """A headline with some of its numbers."""
    estimates = {
        name: drifts.Estimate(*value) if isinstance(value, tuple) else value
        for name, value in {"change": (0.2, 0.1, 0.3), "slope": (0, 0, 0), **given}.items()
    }
    return drifts.Drift(
        **{"name": "x", "unit": "1", "first": 1.0, "last": 1.2, "settles": 20, **estimates}
    )  # type: ignore[arg-type]
