"""A calibrated twin beside its platform: the fan of its forecasts, what was observed, and how far
apart they are.

Times are the platform's days. Samples stand near noon (`twin.readers.forecast_series`), and points
are drawn at the midnight at which their day begins: each is the last sample within the day, so the
latest forecast for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twin.readers.dashboards.drawn import PALETTE, axis, lines, stat
from twin.readers.dashboards.frame import (
    PLATFORM,
    SOURCE,
    Json,
    Layout,
    colour,
    dashboard,
    override,
    panel,
    target,
)
from twin.readers.dashboards.queries import legend_pattern
from twin.readers.dashboards.variables import label_variable, source_variable
from twin.readers.forecast_series import FORECAST, OBSERVED, ORIGIN, QUANTITIES, Quantity
from twin.record.names import prom_name
from twin.world.metric import Metric

TWIN, SEEN = PALETTE[0], PALETTE[3]
COLOURS = (*PALETTE[1:3], *PALETTE[4:6], PALETTE[7])
"""Of quantities, where they share a picture."""
BANDS = (("95 %", "0.025", "0.975", 12), ("80 %", "0.1", "0.9", 18), ("50 %", "0.25", "0.75", 28))
"""Name, quantiles at both ends, and opacity in percent; the widest first, as the others cover
it."""
RANGE = ("now-60d", "now+14d")
_CHOSEN = 'calibration="$calibration"'
_NEITHER = "Neither direction is good or bad in itself."
_UNITS = {"ratio": "percentunit"}


def day(metric: Metric, **labels: str) -> str:
    """The last sample of the day that begins now, one series for each quantity."""
    matchers = ",".join([_CHOSEN, *(f'{name}="{value}"' for name, value in labels.items())])
    return f"max by (quantity) (last_over_time({prom_name(metric)}{{{matchers}}}[1d] offset -1d))"


def platform() -> Json:
    """The dashboard on a twin and its platform."""
    page = Layout()
    page.row("Does the twin follow its platform?")
    page.line([_inside("80 %", "0.1", "0.9"), _inside("95 %", "0.025", "0.975"), _days()], 5)
    page.row("Forecast and observation")
    page.grid([_fan(each) for each in QUANTITIES], 9, most=2)
    page.row("How far apart")
    page.line([_apart(), _ahead()], 9, [16, 8])
    return dashboard(
        PLATFORM,
        "A calibrated twin beside its platform: what it foretold of each day, and what was "
        "observed. Real dates, as twin forecast writes them.",
        page,
        variables=[
            source_variable(),
            label_variable(
                "calibration",
                "Calibration",
                "calibration",
                prom_name(FORECAST),
                description="As twin forecast names it.",
            ),
        ],
        span=None,
        real=RANGE,
        annotations=[_origins()],
    )


def _origins() -> Json:
    """The last day that was read before each forecast."""
    return {
        "name": "Read until",
        "enable": True,
        "hide": False,
        "iconColor": "#8a2be2",
        "builtIn": 0,
        "datasource": SOURCE,
        # Grafana takes times in milliseconds
        "expr": f"1000 * last_over_time({prom_name(ORIGIN)}{{{_CHOSEN}}}[1d] offset -1d)",
        "step": "1d",
        "titleFormat": "Read until here",
        "textFormat": "forecasts after it are of days that the twin had not seen",
        "tagKeys": "",
        "useValueForTime": True,
    }


def _about(text: str, unit: str, *metrics: Metric) -> str:
    """Description of a panel."""
    names = ", ".join(f"`{prom_name(each)}`" for each in metrics)
    return f"{text}\n\n{_NEITHER}\n\nUnit: {unit}.\n\nPrometheus: {names}."


def _fan(quantity: Quantity) -> Json:
    """Bands, median, and what was observed of one quantity."""
    name = quantity.name
    targets = list(_edges(name))
    targets.append(target(day(FORECAST, quantity=name, quantile="0.5"), "Forecast, median"))
    targets.append(target(day(OBSERVED, quantity=name), "Observed"))
    hidden = {"legend": True, "tooltip": False, "viz": False}
    overrides = [
        colour("/^(Forecast|Central)/", TWIN),
        colour("/^Observed$/", SEEN),
        override("/^Central/", custom__lineWidth=0, custom__showPoints="never"),
        override("/, from$/", custom__hideFrom=hidden),
        *(
            override(
                f"/^Central {band}$/",
                custom__fillBelowTo=f"Central {band}, from",
                custom__fillOpacity=opacity,
            )
            for band, _, _, opacity in BANDS
        ),
        override(
            "/^Observed$/",
            custom__drawStyle="points",
            custom__showPoints="always",
            custom__pointSize=7,
        ),
    ]
    text = (
        f"{quantity.help} The fan is the latest forecast that was made before the day: half of the "
        f"days to come should lie in the darkest band, 95 % in all three. Points are what was "
        f"observed."
    )
    unit = "share" if quantity.unit == "ratio" else f"{quantity.unit} a day"
    return panel(
        "timeseries",
        name.capitalize(),
        _about(text, unit, FORECAST, OBSERVED),
        targets,
        options=lines(),
        defaults=axis(_UNITS.get(quantity.unit, "short"), "" if quantity.unit == "ratio" else unit),
        overrides=overrides,
        interval="1d",
    )


def _edges(quantity: str) -> Iterator[Json]:
    """Both ends of each band; a band is filled from the upper one down to the lower."""
    for band, low, high, _ in BANDS:
        yield target(day(FORECAST, quantity=quantity, quantile=low), f"Central {band}, from")
        yield target(day(FORECAST, quantity=quantity, quantile=high), f"Central {band}")


def _inside(band: str, low: str, high: str) -> Json:
    """Share of days in a band, until the end of the range that is shown."""

    def within(quantity: str) -> str:
        seen = day(OBSERVED, quantity=quantity)
        below, above = (day(FORECAST, quantity=quantity, quantile=end) for end in (low, high))
        return f"avg_over_time((({seen} >= bool {below}) * ({seen} <= bool {above}))[$__range:1d])"

    return _numbers(
        f"Days inside the central {band}",
        f"Share of the days shown on which what was observed lies in the central {band} of the "
        f"latest forecast. It should come near to {band} over many days.",
        "share of days",
        within,
        {"unit": "percentunit", "decimals": 0, "color": {"mode": "fixed", "fixedColor": TWIN}},
    )


def _days() -> Json:
    """How many days there are to judge by."""

    def both(quantity: str) -> str:
        seen = day(OBSERVED, quantity=quantity)
        median = day(FORECAST, quantity=quantity, quantile="0.5")
        return f"count_over_time(({seen} and {median})[$__range:1d])"

    return _numbers(
        "Days foretold and observed",
        "Days shown of which there are both a forecast and an observation.",
        "days",
        both,
        {"unit": "suffix: days", "color": {"mode": "fixed", "fixedColor": PALETTE[6]}},
    )


def _numbers(title: str, text: str, unit: str, query: Callable[[str], str], defaults: Json) -> Json:
    """One number for each quantity, of the whole range that is shown."""
    return panel(
        "stat",
        title,
        _about(text, unit, FORECAST, OBSERVED),
        [target(query(each.name), each.name, instant=True) for each in QUANTITIES],
        options=stat("none"),
        defaults=defaults,
        interval="1d",
    )


def distance(quantity: str) -> str:
    """How far what was observed lies from the median, as a part of the way to the edge of the
    central 80 % on the side on which it lies, as fans are not symmetric."""
    seen = day(OBSERVED, quantity=quantity)
    low, middle, high = (
        day(FORECAST, quantity=quantity, quantile=each) for each in ("0.1", "0.5", "0.9")
    )
    above = f"({high} - {middle}) * ({seen} >= bool {middle})"
    below = f"({middle} - {low}) * ({seen} < bool {middle})"
    return f"({seen} - {middle}) / ({above} + {below})"


def _apart() -> Json:
    """Where observations lie in the fan, in its own units."""
    steps = [{"value": value, "color": TWIN} for value in (None, -1, 1)]
    custom = {
        "showPoints": "always",
        "pointSize": 6,
        "thresholdsStyle": {"mode": "dashed"},
        "axisSoftMin": -1.5,
        "axisSoftMax": 1.5,
    }
    return panel(
        "timeseries",
        "Observed less forecast",
        _about(
            "How far what was observed lies from the median, as a part of the way to the edge of "
            "the central 80 %: between the dashed lines, -1 and 1, it lies inside. Days on one "
            "side for long are a drift that the twin does not know.",
            "distances from the median to the edge of the central 80 %",
            FORECAST,
            OBSERVED,
        ),
        [target(distance(each.name), each.name) for each in QUANTITIES],
        options=lines(),
        defaults=axis("short", "to the edge of 80 %", **custom)
        | {"thresholds": {"mode": "absolute", "steps": steps}},
        overrides=[
            colour(legend_pattern(each.name), fixed)
            for each, fixed in zip(QUANTITIES, COLOURS, strict=False)
        ],
        interval="1d",
    )


def _ahead() -> Json:
    """How old the latest forecast of each day was."""
    # samples stand a little before noon, half a day after the midnight at which they are drawn
    origin = f"last_over_time({prom_name(ORIGIN)}{{{_CHOSEN}}}[1d] offset -1d)"
    return panel(
        "timeseries",
        "Days ahead",
        _about(
            "How many days before the day the latest forecast for it was made. A twin that is "
            "brought up to date each day stays at 1.",
            "days",
            ORIGIN,
        ),
        [target(f"(time() + 43200 - max({origin})) / 86400", "Days ahead")],
        options=lines(),
        defaults=axis("short", "days", lineInterpolation="stepAfter") | {"min": 0},
        overrides=[colour("/^Days ahead$/", TWIN)],
        interval="1d",
    )
