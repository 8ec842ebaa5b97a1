"""E07: a shop's feed without personal data."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)

IMPERSONAL = {
    "recommender.personalisation": 0.0,
    "recommender.quota.in_network": 0,
    "recommender.quota.co_viewed": 0,
    "recommender.quota.bought_together": 0,
}
DAY, WEEK = (0.0, 1.0), (0.0, 7.0)
NEAREST = (("E02.O1", -1), ("E03.O1", 1))
EXPERIMENT = FieldExperiment(
    id="E07",
    title="Retail feed without personal data",
    status="blind",
    design="A shopping app's home page, China, about 2019; 555,800 customers, about half treated, "
    "individual randomisation. Its length is not known: one day is assumed, and seven reported "
    "beside it. For the treated, the recommender may use no personal data. Search and carts work "
    "as ever; merchants cannot tell.",
    confounders="Shopping, not posts: intent is strong and short-lived, and other ways to products "
    "exist. Both arms are served by a model trained on both. One day leaves no time for leaving or "
    "for supply to answer.",
    days=7.0,
    branches={
        "personal": AS_IS,
        "impersonal": everybody("no personal data, for all", IMPERSONAL),
        "half impersonal": part("no personal data, for half", IMPERSONAL, 0.5),
    },
    outcomes=(
        Outcome(
            "O1",
            "click-through rate of recommendations",
            "rel",
            0.05,
            "consumption",
            (
                by_arm("click_rate", "half impersonal"),
                whole("click_rate", "impersonal", "personal"),
            ),
            days=DAY,
            beside=(WEEK,),
            optimised=-1,
            nearest=NEAREST,
        ),
        Outcome(
            "O2",
            "product pages viewed per customer",
            "rel",
            0.02,
            "consumption",
            (by_arm("opened", "half impersonal"), whole("opened", "impersonal", "personal")),
            days=DAY,
            beside=(WEEK,),
            optimised=-1,
            nearest=NEAREST,
        ),
        Outcome(
            "O3",
            "product pages viewed of small and medium merchants",
            "rel",
            0.02,
            "consumption",
            (
                by_arm("small_opened", "half impersonal"),
                whole("small_opened", "impersonal", "personal"),
            ),
            days=DAY,
            beside=(WEEK,),
            optimised=-1,
            nearest=NEAREST,
        ),
        Outcome(
            "O4",
            "number of different products recommended",
            "rel",
            0.10,
            "diversity",
            (by_arm("distinct", "half impersonal"), whole("distinct", "impersonal", "personal")),
            days=DAY,
            beside=(WEEK,),
            optimised=-1,
            primary=False,
            nearest=(("E02.O3", -1),),
        ),
        Outcome(
            "B1",
            "Gini of impressions over creators",
            "rel",
            0.05,
            "diversity",
            (whole("exposure_gini", "impersonal", "personal"),),
            days=DAY,
            beside=(WEEK,),
            optimised=-1,
            primary=False,
        ),
    ),
)
