"""E06: who writes the subject line of a neighbourhood network's e-mails."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    Branch,
    FieldExperiment,
    Outcome,
    everybody,
    whole,
    within,
)

EXPERIMENT = FieldExperiment(
    id="E06",
    title="Neighbourhood network, who writes the subject line",
    status="development",
    design="Nextdoor, US, 2023: e-mails that carry one post; user-level tests, days and n not known "
    "(28 days and a large n are assumed). Control: the first words of the member's post. A: a "
    "language model with a prompt. B: the same model, of whose drafts a model trained on past "
    "clicks picks one.",
    confounders="An e-mail is a nudge outside the feed, and one subject line is a tiny dose; here "
    "AI creators write whole posts. Source: a company's blog, without intervals.",
    lacks="notifications",
    # fixed, so that the world without AI can have the same supply
    world={"creators.ai.posts_mean": "4/d"},
    branches={
        "one draft": AS_IS,
        "best of nine": everybody("AI posts the best of nine drafts", {"creators.drafts": 9}),
        "members": Branch(
            "human creators alone, with the same supply of posts",
            sets={
                "creators.ai.initial": 0,
                "creators.ai.arrivals": "0/d",
                "creators.human.posts_mean": "0.92/d",
            },
        ),
    },
    outcomes=(
        Outcome(
            "O1",
            "clicks per e-mail, A against control",
            "rel",
            0.02,
            "consumption",
            (within("click_rate_ai", "click_rate_human", "one draft"),),
        ),
        Outcome(
            "O2",
            "sessions, B against control",
            "rel",
            0.002,
            "consumption",
            (whole("sessions", "best of nine", "members"),),
            optimised=1,
        ),
        Outcome(
            "O3",
            "weekly active people, B against control",
            "rel",
            0.002,
            "consumption",
            (whole("weekly", "best of nine", "members"),),
            optimised=1,
        ),
    ),
)
