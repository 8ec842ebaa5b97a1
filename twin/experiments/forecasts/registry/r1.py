"""R1: shelves of related films."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    Topic,
    by_arm,
    everybody,
    part,
    whole,
)

SHELVES = {"a": "bought_together", "b": "co_viewed"}


def _pair(id: str, says: str, quantity: str, topic: Topic) -> tuple[Outcome, ...]:
    """An outcome for either shelf against none."""
    return tuple(
        Outcome(
            f"{id}{key}",
            f"{says}, shelf {kind.replace('_', ' ')} against none",
            "rel",
            0.03,
            topic,
            (by_arm(quantity, f"half {kind}"), whole(quantity, kind, "none")),
            optimised=1,
        )
        for key, kind in SHELVES.items()
    )


EXPERIMENT = FieldExperiment(
    id="R1",
    title="Film retailer, a shelf of related films",
    status="reserve",
    design="A film retailer, North America, about 2013; visitors are randomised to no shelf of "
    "related films, to films that others bought with this one, or to films that others viewed with "
    "it. Days are not known: 28 are assumed.",
    confounders="A shop of long-lived works, not a feed of posts: a fifth of posts are works here.",
    lacks="the Gini of purchases over works",
    world={"recommender.shelf.kind": "none", "creators.human.work_share": 0.2},
    branches={
        "none": AS_IS,
        **{
            kind: everybody(f"{kind.replace('_', ' ')}, for all", {"recommender.shelf.kind": kind})
            for kind in SHELVES.values()
        },
        **{
            f"half {kind}": part(
                f"{kind.replace('_', ' ')}, for half", {"recommender.shelf.kind": kind}, 0.5
            )
            for kind in SHELVES.values()
        },
    },
    outcomes=(
        *_pair("O1", "item views", "works", "consumption"),
        *_pair("O2", "items bought", "bought", "consumption"),
        Outcome(
            "O3",
            "diversity of sales, shelf co-viewed against none",
            "rel",
            0.03,
            "diversity",
            (whole("diversity_works", "co_viewed", "none"),),
            optimised=1,
            sign=True,
        ),
    ),
)
