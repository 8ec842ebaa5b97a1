"""Tables of a comparison's report: all series, and what an A/B test would have reported."""

from __future__ import annotations

from collections.abc import Callable

from twin.experiments import effects
from twin.experiments.compare import words
from twin.experiments.compare.data import Data
from twin.experiments.compare.rows import Row, name_of, read_biases
from twin.experiments.compare.trial import Bias
from twin.experiments.page import TONES, Cell, Column, Section, number, percent, tabulated
from twin.experiments.words import SIDES, signed, two_digits
from twin.ground.units import at, in_percent


def series(data: Data) -> Section:
    """All effects, branch by branch: headlines first, the surest first."""

    def order(row: Row) -> tuple[int, int, bool, float]:
        q = row.q if row.q == row.q else 2  # no test, no q: last
        return (
            data.branches.index(row.branch),
            list(SIDES).index(row.side),
            not row.headline,
            q,
        )

    def shows(row: Row) -> Cell:
        return Cell("" if row.appears_s is None else f"{at(data.start, row.appears_s):%Y-%m-%d}")

    columns: list[Column[Row]] = [
        Column("Policy", lambda row: Cell(row.branch), numeric=False),
        Column("Side", lambda row: Cell(SIDES[row.side]), numeric=False),
        Column("Series", lambda row: Cell(name_of(row)), numeric=False),
        Column("Base", lambda row: number(row.base)),
        Column("With", lambda row: number(row.value)),
        Column("Effect", lambda row: number(row.effect, shown=signed(row.effect), tone=_tone(row))),
        Column("Low", lambda row: number(row.low, shown=signed(row.low), tone=_tone(row))),
        Column("High", lambda row: number(row.high, shown=signed(row.high), tone=_tone(row))),
        Column("%", _share),
        Column("Unit", lambda row: Cell("" if row.unit == "1" else row.unit), numeric=False),
        Column("Size (sd)", lambda row: number(row.size, shown=words.sd(row.size))),
        Column("n", lambda row: number(row.n, shown=str(row.n))),
        Column("q", lambda row: number(row.q, shown=two_digits(row.q))),
        Column("Verdict", lambda row: Cell(_verdict(row), tone=_tone(row)), numeric=False),
        Column("Correlation", _correlation),
        Column("Runs saved", lambda row: number(row.runs_saved, shown=words.saved(row))),
        Column("Shows from", shows, numeric=False),
    ]
    rows = sorted((row for row in data.rows if row.n), key=order)
    return Section(
        "table",
        "All series",
        f"Means over the last {words.window(data)}. Click a heading to sort.",
        table=tabulated(columns, rows, "Only rows with these words, such as: creators income"),
    )


def _tone(row: Row) -> str:
    return TONES.get(row.verdict, "" if row.sure else "flat")


def _verdict(row: Row) -> str:
    return "untouched" if row.untouched else row.verdict or row.standing


def _share(row: Row) -> Cell:
    share = row.percent(row.effect)
    return number(share, shown=percent(share), tone=_tone(row))


def _correlation(row: Row) -> Cell:
    known = row.correlation == row.correlation
    return number(row.correlation, shown=f"{row.correlation:.2f}" if known else "")


def trial(data: Data) -> list[Section]:
    """An A/B test of each policy beside the truth, if there was one."""
    found = read_biases(data.experiment)
    if not found:
        return []
    columns: list[Column[Bias]] = [
        Column("Policy", lambda each: Cell(each.branch), numeric=False),
        Column("Mean of each person's", lambda each: Cell(each.quantity), numeric=False),
        Column("Unit", lambda each: Cell("" if each.unit == "1" else each.unit), numeric=False),
        *(
            # ", low" of the heading is "_low" of the field
            Column(f"{heading}{end}", _signed(f"{name}{end.replace(', ', '_')}"))
            for heading, name in (
                ("A/B estimate", "estimate"),
                ("Truth", "truth"),
                ("Bias", "bias"),
            )
            for end in ("", ", low", ", high")
        ),
        Column("q", lambda each: number(each.q, shown=two_digits(each.q))),
        Column("n", lambda each: number(each.n, shown=str(each.n))),
        Column(
            "Verdict",
            lambda each: Cell("biased" if each.sure else "no bias beyond noise"),
            numeric=False,
        ),
    ]
    biased = sum(each.sure for each in found)
    lead = (
        f"The same policies given to {in_percent(data.args['share'])} of {data.args['of']} in one world, "
        f"as an experimenter would: treated less control, against what forked worlds say that the "
        f"policy does to everybody. {biased} of {len(found)} quantities are biased by interference "
        f"beyond noise (q below {1 - effects.LEVEL:.2g}; intervals are {in_percent(effects.LEVEL)}, each alone)."
    )
    table = tabulated(columns, found)
    return [Section("trial", "What an A/B test would have reported", lead, table=table)]


def _signed(name: str) -> Callable[[Bias], Cell]:
    """The cell of one number of a bias."""

    def cell(each: Bias) -> Cell:
        value: float = getattr(each, name)
        return number(value, shown=signed(value))

    return cell
