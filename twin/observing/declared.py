"""What a log may have, in the words of a map (``columns.yaml``): which column is who, what, when.

A map names columns of the log; what it does not name is not read. ``responses`` are 0 or 1 per
impression, ``amounts`` are numbers (seconds watched, stars). A log may have a row per impression;
a row per event (``event``); or a row per slate, whose items are packed in one cell (``packed``).
``aggregates`` describes files that hold counts already.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from twin.ground.units import MINUTE
from twin.world.params import Date, Duration, Params, group, par

MOST_RESPONSES, MOST_AMOUNTS = 16, 8
INTERACTION = "interaction"
"""Name of the response that every row of a log of responses is."""
Unit = Literal["auto", "s", "ms", "us", "ns"]


def _named(value: object) -> object:
    """A bare name stands for a column without further settings."""
    return {"column": value} if isinstance(value, str) else value


class Time(Params):
    """When it happened."""

    column: str = par("", "Column of the time.")
    unit: Unit = par("auto", "Unit of numbers; auto: by their size.")
    pattern: str = par("", "Pattern of times as text, as strptime has it. Empty: ISO 8601.")
    origin: Date | None = par(None, "Day (UTC) from which numbers count. None: 1970-01-01.")


class Response(Params):
    """A response that an impression did or did not get."""

    column: str = par("", "Column: 0 or 1, true or false; empty where nothing is known.")
    at_least: float | None = par(
        None, "The column is a number, and this or more counts as the response."
    )


class Amount(Params):
    """A number that an impression got."""

    column: str = par("", "Column of the number.")
    unit: str = par("", "Its unit, for the reader.")
    scale: float = par(1.0, "Multiplied to the number: 0.001 makes seconds of milliseconds.")


def _column(model: type[Params]) -> Any:
    schema = {"anyOf": [{"type": "string"}, model.model_json_schema()]}
    return Annotated[model, BeforeValidator(_named), WithJsonSchema(schema)]


def _each(value: object) -> object:
    """Names of columns, each on its own or with settings."""
    if isinstance(value, dict):
        return {name: _named(each) for name, each in value.items()}
    return value


class Event(Params):
    """A row is an event: what kind it is stands in a column."""

    column: str = par("", "Column of the kind of event.")
    shown: tuple[str, ...] = par((), "Kinds that are impressions.")
    responses: dict[str, tuple[str, ...]] = par(
        {}, "Kinds by response: {click: [click, tap]}. Other kinds are counted as ignored."
    )


class Listed(Params):
    """A cell lists the responses of an impression."""

    column: str = par("", "Column with a list, or text with several names.")
    separator: str = par("|", "What separates names in text.")
    responses: tuple[str, ...] = par((), "Names that may stand there.")


class Packed(Params):
    """A cell holds all items of one slate, in the order in which they were shown."""

    column: str = par("", "Column with a list, or text with several items.")
    separator: str = par(" ", "What separates items in text.")
    mark: str = par("", "What separates an item from its 0 or 1, as in N123-1. Empty: no marks.")
    responded: str = par("", "Column with the list of items that got the response.")
    response: str = par("click", "Name of that response.")


class Aggregate(Params):
    """Files that hold counts: a row per day, hour, person, item, position or source."""

    files: str = par("", "Name or pattern (`*daily*.csv`) of the files.")
    by: Literal["day", "hour", "user", "item", "position", "source"] = par("day", "What a row is.")
    key: str = par("", "Column of the day (2022-04-08 or 20220408), the hour, and so on.")
    impressions: str = par("", "Column of how many impressions.")
    users: str = par("", "Column of how many people.")
    sessions: str = par("", "Column of how many sessions.")
    count: str = par("", "Column that says how many people or items have these counts.")
    responses: dict[str, str] = par({}, "Column of how many responses, by name of the response.")
    since: Date | None = par(None, "First day that the counts cover, where no row has a day.")
    until: Date | None = par(None, "Last day that they cover; without it they cannot be dated.")


class Map(Params):
    """A map of a log: see the head of this file."""

    description: str = par("", "What this log is.")
    delimiter: str = par("", "Of text: what separates columns. Empty: found out.")
    columns: tuple[str, ...] = par((), "Names of columns, for text without a header.")
    zone: str = par("UTC", "Zone of times that name none, and in which days and hours are counted.")
    rows: Literal["impressions", "responses"] = par(
        "impressions", "What a row is; responses: a log of ratings or purchases, say."
    )
    user: str = par("", "Column of who. Empty: the log does not say who.")
    item: str = par("", "Column of what was shown.")
    time: _column(Time) = group(Time, "Column of when.")  # type: ignore[valid-type]
    maker: str = par("", "Column of who made the item.")
    session: str = par("", "Column of the session. Empty: sessions end by `gap`.")
    gap: Duration = par(
        30 * MINUTE, "A session ends after so long without an event.", unit="s", low=1, high=86400
    )
    position: str = par("", "Column of the place in the slate.")
    source: str = par("", "Column of the page, tab or candidate source.")
    explore: str = par("", "Column that is 1 where the item was chosen at random.")
    propensity: str = par("", "Column of the probability with which the item was chosen.")
    responses: Annotated[dict[str, Response], BeforeValidator(_each)] = par(
        {}, "Columns of responses, by name: {click: is_click}."
    )
    amounts: Annotated[dict[str, Amount], BeforeValidator(_each)] = par(
        {}, "Columns of numbers, by name: {seconds: play_time}."
    )
    event: Event = group(Event, "A row is an event.")
    listed: Listed = group(Listed, "A cell lists responses.")
    packed: Packed = group(Packed, "A cell holds the items of a slate.")
    duplicates: Literal["drop", "keep"] = par(
        "drop", "Rows that repeat another in every column that is read: dropped and counted."
    )
    aggregates: tuple[Aggregate, ...] = par((), "Files that hold counts already.")

    def binary(self) -> tuple[str, ...]:
        """Names of responses, in a fixed order."""
        first = [self.packed.response] if self.packed.column else []
        if self.rows == "responses":
            first = [INTERACTION]
        every = [*first, *self.responses, *self.event.responses, *self.listed.responses]
        return tuple(dict.fromkeys(every))

    def named(self) -> list[tuple[tuple[str, ...], str]]:
        """Every column of a log that is named, with where in the map."""
        plain = ("user", "item", "maker", "session", "position", "source", "explore", "propensity")
        found: list[tuple[tuple[str, ...], str]] = [((key,), getattr(self, key)) for key in plain]
        found += [((key, "column"), getattr(self, key).column) for key in ("time", "event")]
        found += [(("listed", "column"), self.listed.column)]
        found += [(("packed", key), getattr(self.packed, key)) for key in ("column", "responded")]
        found += [(("responses", name), each.column) for name, each in self.responses.items()]
        found += [(("amounts", name), each.column) for name, each in self.amounts.items()]
        return [(path, column) for path, column in found if column]
