"""Each layout that has a name, on a small file in it; and the other shapes a log can have."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.given.logs import BEGIN, observe, rows, text, written
from twin.observing.folder import Observed
from twin.observing.layouts import LAYOUTS

ROWS = rows()
CLICKS = sum(row[3] for row in ROWS)
MANY = len(ROWS)


def totals(of: Observed, cut: str = "all") -> dict[str, tuple[int, int]]:
    """Known and total by response, over all cells of a cut."""
    table = of.select("responses", cut=cut)
    made: dict[str, tuple[int, int]] = {}
    for row in table.to_pylist():
        known, total = made.get(row["response"], (0, 0))
        made[row["response"]] = (known + row["known"], total + row["total"])
    return made


def kuairand(place: Path) -> Path:
    names = [
        "user_id",
        "video_id",
        "date",
        "hourmin",
        "time_ms",
        "is_click",
        "is_like",
        "is_follow",
        "is_comment",
        "is_forward",
        "is_hate",
        "long_view",
        "play_time_ms",
        "duration_ms",
        "profile_stay_time",
        "comment_stay_time",
        "is_profile_enter",
        "is_rand",
        "tab",
    ]
    made = [
        (
            u[1:],
            i[1:],
            20240301,
            100,
            t * 1000,
            c,
            0,
            0,
            0,
            0,
            0,
            c,
            1500,
            9000,
            0,
            0,
            0,
            k % 4 == 0,
            k % 2,
        )
        for k, (u, i, t, c) in enumerate(ROWS)
    ]
    made = [(*row[:17], int(row[17]), row[18]) for row in made]
    return written(place / "log_standard.csv", text(made, names))


def mind(place: Path) -> Path:
    """Slates of four; the history column is there and not read."""
    lines = []
    for k in range(0, MANY, 4):
        user, _, t, _ = ROWS[k]
        when = dt.datetime.fromtimestamp(t, dt.UTC)
        # MIND writes hours without a leading zero
        shown = f"{when.month}/{when.day}/{when.year} {when.strftime('%I').lstrip('0')}{when.strftime(':%M:%S %p')}"
        packed = " ".join(f"N{i[1:]}{k + j}-{c}" for j, (_, i, _, c) in enumerate(ROWS[k : k + 4]))
        lines.append(f"{k}\tU{user}\t{shown}\tN1 N2\t{packed}")
    return written(place / "behaviors.tsv", "\n".join(lines) + "\n")


def open_bandit(place: Path) -> Path:
    made = [
        (
            k,
            dt.datetime.fromtimestamp(t, dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00"),
            i[1:],
            k % 3 + 1,
            c,
            0.25,
            "f0",
            "f1",
        )
        for k, (_, i, t, c) in enumerate(ROWS)
    ]
    names = (
        "",
        "timestamp",
        "item_id",
        "position",
        "click",
        "propensity_score",
        "user_feature_0",
        "user_feature_1",
    )
    return written(place / "men.csv", text(made, names))


def ebnerd(place: Path) -> Path:
    """Lists of items in view and of those that were clicked; local times in microseconds."""
    slates = [ROWS[k : k + 4] for k in range(0, MANY, 4)]
    pq.write_table(
        pa.table(
            {
                "impression_id": pa.array(range(len(slates)), pa.uint32()),
                "impression_time": pa.array(
                    [
                        dt.datetime.fromtimestamp(s[0][2], dt.UTC).replace(tzinfo=None)
                        for s in slates
                    ],
                    pa.timestamp("us"),
                ),
                "read_time": pa.array([1.5] * len(slates), pa.float32()),
                "article_ids_inview": pa.array(
                    [[10 * k + j for j in range(4)] for k in range(len(slates))],
                    pa.list_(pa.int32()),
                ),
                "article_ids_clicked": pa.array(
                    [
                        [10 * k + j for j, row in enumerate(slate) if row[3]]
                        for k, slate in enumerate(slates)
                    ],
                    pa.list_(pa.int32()),
                ),
                "user_id": pa.array([int(s[0][0][1:]) for s in slates], pa.uint32()),
                "session_id": pa.array([k // 2 for k in range(len(slates))], pa.uint32()),
            }
        ),
        place / "behaviors.parquet",
    )
    return place / "behaviors.parquet"


def recbole(place: Path) -> Path:
    names = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    made = [(u, i, 2.0 + 3 * c, f"{t}.0") for u, i, t, c in ROWS]
    return written(place / "ml.inter", text(made, names, "\t"))


def movielens(place: Path) -> Path:
    names = ("userId", "movieId", "rating", "timestamp")
    return written(
        place / "ratings.csv", text([(u[1:], i[1:], 2.0 + 3 * c, t) for u, i, t, c in ROWS], names)
    )


def of_twin(place: Path) -> Path:
    names = (
        "time",
        "consumer",
        "post",
        "creator",
        "session",
        "place",
        "source",
        "explore",
        *LAYOUTS["twin"]["responses"],
    )
    made = [
        (
            dt.datetime.fromtimestamp(t, dt.UTC).isoformat(),
            u[1:],
            i[1:],
            int(i[1:]) % 3,
            k // 4,
            k % 4,
            ("trending", "explore")[k % 2],
            k % 2,
            c,
            *[0] * 7,
        )
        for k, (u, i, t, c) in enumerate(ROWS)
    ]
    return written(place / "log.csv", text(made, names))


MAKE = {
    "kuairand": kuairand,
    "mind": mind,
    "open-bandit": open_bandit,
    "ebnerd": ebnerd,
    "recbole": recbole,
    "movielens": movielens,
    "twin": of_twin,
}


def test_every_layout_has_a_file() -> None:
    assert set(MAKE) == set(LAYOUTS)


@pytest.fixture(params=list(LAYOUTS))
def read(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Observed]:
    return request.param, observe(tmp_path, MAKE[request.param](tmp_path), layout=request.param)


def test_layouts_are_understood(read: tuple[str, Observed]) -> None:
    """All rows are kept, no column is missing, and clicks are those that were written."""
    name, found = read
    assert found.manifest["rows"]["bad"] == {} and found.manifest["rows"]["kept"] == MANY
    assert all(not file["notes"] for file in found.manifest["read"]["files"])
    if name in ("recbole", "movielens"):
        assert totals(found)["interaction"] == (0, MANY)
        amounts = found.select("amounts", cut="all")
        assert sum(amounts.column("total").to_pylist()) == 2.0 * MANY + 3 * CLICKS
        assert (
            "no impressions, only responses: rates cannot be identified"
            in (found.manifest["cautions"])
        )
    else:
        assert totals(found)["click"] == (MANY, CLICKS)
    has = {each["statistic"] for each in found.manifest["statistics"] if each["has"]}
    assert ("random exposure" in has) == (name in ("kuairand", "twin"))
    assert ("inverse propensities" in has) == (name == "open-bandit")
    assert ("pairs of one person's impressions of one maker" in has) == (name == "twin")
    assert ("quantiles over people" in has) == (name != "open-bandit")
    assert ("place in the slate" in has) == (name in ("mind", "open-bandit", "ebnerd", "twin"))


def test_days_are_local(tmp_path: Path) -> None:
    """KuaiRand counts days in Shanghai: an impression at 17:00 UTC is of the next day there."""
    found = observe(tmp_path, kuairand(tmp_path), layout="kuairand")
    days, values = found.series("impressions")
    want = np.zeros(5, int)
    for row in ROWS:
        want[(row[2] + 8 * 3600 - int(BEGIN.timestamp())) // 86400] += 1
    assert values.tolist() == want.tolist() and days[0] == dt.date(2024, 3, 1)
    assert found.manifest["sources"] == {"1": "0", "2": "1"}


def test_propensities_are_summed(tmp_path: Path) -> None:
    """Of a quarter each: impressions count four times."""
    found = observe(tmp_path, open_bandit(tmp_path), layout="open-bandit")
    assert sum(found.select("counts", cut="all").column("inverse").to_pylist()) == 4.0 * MANY
    weighted = found.select("responses", cut="all").column("weighted").to_pylist()
    assert sum(weighted) == 4.0 * CLICKS
    assert found.select("counts", cut="all").column("users").null_count > 0
    assert found.tables["cohorts"].num_rows == 0


def test_a_layout_may_lack_some_columns(tmp_path: Path) -> None:
    """Which they are is noted; who, what and when it cannot lack."""
    made = text(
        [(u, i, t * 1000, c) for u, i, t, c in ROWS], ("user_id", "video_id", "time_ms", "is_click")
    )
    found = observe(tmp_path, written(tmp_path / "log.csv", made), layout="kuairand")
    assert "has no column is_like" in found.manifest["read"]["files"][0]["notes"]
    assert totals(found)["click"] == (MANY, CLICKS) and totals(found)["like"] == (0, 0)


EVENTS = """user: user
item: item
time: time
event: {column: what, shown: [view], responses: {click: [click, tap], like: [like]}}
"""


def test_a_row_per_event(tmp_path: Path) -> None:
    """Impressions and responses are rows of their own; other kinds are counted as ignored."""
    made: list[Any] = []
    for k, (u, i, t, c) in enumerate(ROWS):
        made.append((u, i, t, "view"))
        made += [(u, i, t + 1, ("click", "tap")[k % 2])] * c
        made += [(u, i, t + 2, "scroll")] * (k % 5 == 0)
    source = written(tmp_path / "e.csv", text(made, ("user", "item", "time", "what")))
    found = observe(tmp_path, source, map=EVENTS)
    assert totals(found) == {"click": (MANY, CLICKS), "like": (MANY, 0)}
    assert sum(found.select("counts", cut="all").column("impressions").to_pylist()) == MANY
    assert found.manifest["rows"]["ignored"] == {"events of other kinds": MANY // 5}


@pytest.mark.parametrize("kind", ["text", "lists"])
def test_responses_in_a_list(tmp_path: Path, kind: str) -> None:
    """As text with a separator, or as a list; an empty cell is no response."""
    sheet = "user: u\nitem: i\ntime: t\nlisted: {column: acts, responses: [click, like]}\n"
    names = [["click", "like", "odd"] if c else [] for *_, c in ROWS]
    if kind == "text":
        made = [(u, i, t, " | ".join(each)) for (u, i, t, _), each in zip(ROWS, names, strict=True)]
        source = written(tmp_path / "l.csv", text(made, ("u", "i", "t", "acts")))
    else:
        source = written(
            tmp_path / "l.jsonl",
            "\n".join(
                json.dumps({"u": u, "i": i, "t": t, "acts": each})
                for (u, i, t, _), each in zip(ROWS, names, strict=True)
            ),
        )
    found = observe(tmp_path, source, map=sheet)
    assert totals(found) == {"click": (MANY, CLICKS), "like": (MANY, CLICKS)}
    assert found.manifest["rows"]["ignored"] == {"responses of other names": CLICKS}


def test_packed_items_without_a_mark_are_named(tmp_path: Path) -> None:
    """The slate's line, for the item that has neither -0 nor -1, and for an empty slate."""
    path = mind(tmp_path)
    lines = path.read_text().split("\n")
    lines[4] = lines[4].rsplit(" ", 1)[0] + " N77"
    lines[9] = lines[9].rsplit("\t", 1)[0] + "\t"
    path.write_text("\n".join(lines))
    found = observe(tmp_path, path, layout="mind", share=0.1)
    bad = found.manifest["rows"]["bad"]
    assert bad == {
        "impressions: no items with -0 or -1": {
            "rows": 2,
            "first": ["behaviors.tsv:5", "behaviors.tsv:10"],
        }
    }
    assert found.manifest["rows"]["kept"] == MANY - 5


def test_a_folder_of_several_kinds_of_file(tmp_path: Path) -> None:
    """CSV and Parquet in one folder are one log; what cannot be read by its ending is left alone."""
    inside = tmp_path / "log" / "deeper"
    inside.mkdir(parents=True)
    names = ("user", "item", "time", "click")
    written(inside.parent / "a.csv", text(ROWS[:100]))
    written(inside.parent / "README.md", "# what this is")
    pq.write_table(
        pa.table({n: [row[k] for row in ROWS[100:]] for k, n in enumerate(names)}),
        inside / "b.parquet",
    )
    found = observe(tmp_path, inside.parent)
    assert totals(found) == {"click": (MANY, CLICKS)}
    assert [file["name"] for file in found.manifest["read"]["files"]] == [
        "a.csv",
        "deeper/b.parquet",
    ]
    again = observe(tmp_path, str(inside.parent / "**" / "*.*v"))
    assert again.manifest["rows"]["kept"] == 100


def test_sources_beyond_sixty_are_one(tmp_path: Path) -> None:
    """The first sixty have a name; the rest are counted together as other, and none is lost."""
    made = [(*row, f"page {k % 80}") for k, row in enumerate(ROWS)]
    source = written(tmp_path / "s.csv", text(made, ("user", "item", "time", "click", "page")))
    found = observe(
        tmp_path,
        source,
        map="user: user\nitem: item\ntime: time\nsource: page\nresponses: {click: click}\n",
    )
    counts = found.select("counts", cut="source").to_pylist()
    other = sum(row["impressions"] for row in counts if row["label"] == "other")
    assert sum(row["impressions"] for row in counts) == MANY and other == MANY * 20 // 80
    assert len({row["label"] for row in counts}) == 61


def test_real_movielens(real_data: Path, tmp_path: Path) -> None:
    """Twenty years of ratings, by periods of 19 days; the sum of all ratings is that of the file."""
    found = observe(tmp_path, real_data / "ml-latest-small-2016.csv.gz", layout="movielens")
    facts = found.manifest["facts"]
    assert (facts["users"], facts["items"], found.manifest["step_d"]) == (671, 9066, 19)
    # the first ratings of all, of January 1995, are more than a year before the next
    assert found.manifest["rows"]["bad"]["time lies more than a year from the rest"]["rows"] == 3
    amounts = found.select("amounts", cut="all")
    assert sum(amounts.column("known").to_pylist()) == 100_001
    assert sum(amounts.column("total").to_pylist()) == pytest.approx(3.5436 * 100_001, rel=1e-4)
    few = observe(tmp_path, real_data / "ml-latest-small-2016.csv.gz", layout="movielens", k=10)
    why = {each["statistic"]: each["why"] for each in few.manifest["statistics"]}
    assert why["hours"] == "too few people in a cell"
    assert why["place in the slate"] == "needs a position"


def test_real_open_bandit(real_data: Path, tmp_path: Path) -> None:
    """Uniform over 34 items: the inverse propensities add up to 34 an impression, and weighted
    clicks of a policy that is itself uniform estimate its own clicks."""
    found = observe(tmp_path, real_data / "open-bandit" / "men-random.csv.gz", layout="open-bandit")
    counts = found.select("counts", cut="all")
    shown = sum(counts.column("impressions").to_pylist())
    assert sum(counts.column("inverse").to_pylist()) / shown == pytest.approx(34, rel=0.01)
    clicks = found.select("responses", cut="all", response="click")
    weighted = sum(clicks.column("weighted").to_pylist()) / 34
    assert weighted == pytest.approx(sum(clicks.column("total").to_pylist()), rel=0.01)
