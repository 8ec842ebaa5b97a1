"""The forecast of a real platform, as it was committed."""

import csv
import datetime as dt
import hashlib

import yaml

from tests.conftest import ROOT

PAGE, FOLDER = ROOT / "docs" / "kuairand.md", ROOT / "docs" / "kuairand"
FIRST, DAYS = dt.date(2022, 4, 22), 17


def test_the_forecast_is_the_one_that_was_committed() -> None:
    """Its digest is on the page; every day of both quantities has quantiles in order, click rates are
    shares."""
    data = (FOLDER / "forecast.csv").read_bytes()
    assert f"`{hashlib.sha256(data).hexdigest()}`" in PAGE.read_text(encoding="utf-8")
    rows = list(csv.DictReader(data.decode().splitlines()))
    expected = [FIRST + dt.timedelta(days=at) for at in range(DAYS)]
    for quantity in ("click rate", "impressions"):
        mine = [row for row in rows if row["quantity"] == quantity]
        assert [row["day"] for row in mine] == [day.isoformat() for day in expected]
        for row in mine:
            values = [float(value) for name, value in row.items() if name.startswith("q0")]
            assert len(values) == 7 and values == sorted(values)
            assert quantity != "click rate" or 0 < values[0] < values[-1] < 1
    assert len(rows) == 2 * DAYS


def test_the_map_on_the_page_is_the_one_that_was_used() -> None:
    """To the letter of its content."""
    text = PAGE.read_text(encoding="utf-8")
    block = text.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert yaml.safe_load(block) == yaml.safe_load((FOLDER / "daily.yaml").read_text())
