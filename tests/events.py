"""The page of the events gallery: ``python -m tests.events [FOLDER]``.

What was done and what the world saw stands at the head of each event's file. What the twin shows is
taken from comparisons in FOLDER, one folder an event as ``twin compare NAME --replicates 6 --out
FOLDER/NAME`` leaves it, and kept in docs/events/NAME.json, so that the page can be made again
without them; a test does, and compares.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from twin.experiments.commands import opened
from twin.experiments.compare import words
from twin.experiments.compare.data import Data
from twin.ground.units import format_duration
from twin.scenario.listing import ListedEvent, events

PAGE, FOLDER = ROOT / "docs" / "events.md", ROOT / "docs" / "events"
HEAD = """<!-- Written by `python -m tests.events`; a test compares. Change the files in scenarios/events/. -->
# Events

What real platforms did, as stories that run: each asks a question, does what was done, and shows both sides. All take place on one small
platform (`event_town`: 1,000 people, 150 human and 8 AI creators), so effects are of that town and not of the platform that the event is
named after. What the world saw is told where it is known. Two of the events belong to experiments whose outcome is forecast blind
([forecasts](forecasts.md)); of these nothing is told.

```bash
twin events
twin check facebook_msi_2018
```

`twin run NAME` plays an event, `twin compare NAME --replicates 6` plays it with and without what was done, in pairs of worlds that share
their luck. What stands below under "The twin" is the summary of such a comparison: means over the last four weeks (60 days after the
change began), 95 % intervals in brackets.
"""


def taken(name: str, folder: Path) -> dict[str, Any]:
    """What a comparison says of an event, sentence by sentence."""
    data = Data(opened(str(folder / name), quiet=True))
    (found,) = words.summary(data)
    return {
        "replicates": data.n,
        "seed": data.scenario.seed,
        "fork": format_duration(data.fork_s),
        "end": format_duration(data.scenario.duration),
        "twin": data.experiment.manifest["versions"]["twin"],
        "said": ["".join(part for part, _ in sentence).strip() for sentence in found.items],
    }


def section(event: ListedEvent) -> Iterator[str]:
    """The event's part of the page."""
    yield f"## {event.description.rstrip('.')}\n"
    yield f"`{event.name}`. **{_sentence(event.question)}**\n"
    yield f"**What was done.** {_sentence(event.done)}\n"
    file = FOLDER / f"{event.name}.json"
    if file.exists():
        kept = json.loads(file.read_text(encoding="utf-8"))
        yield (
            f"**The twin** ({kept['replicates']} pairs of worlds, seed {kept['seed']}, forked on "
            f"day {kept['fork'].removesuffix('d')}, to day {kept['end'].removesuffix('d')}; "
            f"`twin compare {event.name} --replicates {kept['replicates']}`):\n"
        )
        yield "".join(f"- {_plain(each)}\n" for each in kept["said"])
    else:
        yield "**The twin.** Not run yet.\n"
    yield f"**What the world saw.** {_sentence(event.world)}\n"
    yield f"*Source: {event.source}*\n"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _plain(text: str) -> str:
    """No markup by accident."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\u00a0", " ")


def text() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(part for event in events() for part in section(event))])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in events():
        if len(sys.argv) > 1 and (Path(sys.argv[1]) / each.name / "results.parquet").exists():
            made = taken(each.name, Path(sys.argv[1]))
            place = FOLDER / f"{each.name}.json"
            place.write_text(
                json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
    PAGE.write_text(text(), encoding="utf-8")
    print(f"wrote {PAGE}")
