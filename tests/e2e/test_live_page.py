"""The live page in a real browser: it moves, it steers, it says only what is so, and it listens to
nobody else."""

import datetime as dt
import fcntl
import http.client
import http.server
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PATIENCE_S, ROOT, settings
from tests.given.inside import called
from tests.live_page import DRAWN, Running, running, until, visit
from twin.record import mailbox
from twin.record.mailbox import command
from twin.world.checkpoint import latest

BASE = ROOT / "scenarios" / "base.yaml"
FIRST = dt.date(2025, 1, 1)
SLOW = "0.2"
"""Days per second at which a month lasts longer than three pages take to be drawn on a busy
machine: what is done to the run is done before it ends."""
HOSTILE = "<img src=x onerror=\"document.title='owned'\">$$\\frac12$$ {{7*7}}"
DATA = """name => { if (!window.Bokeh) return {};
    const found = Bokeh.documents.flatMap(document => document.roots()).find(root => root.name === name);
    const data = found ? Object.entries(found.renderers[0].data_source.data) : [];
    return Object.fromEntries(data.map(([key, values]) => [key, [...values]])) }"""
REPLIED = "words => document.getElementById('reply').textContent.includes(words)"
SAID = REPLIED.replace("reply", "said")
LABELS = """name => Bokeh.documents.flatMap(document => document.roots()).find(root => root.name === name).center
    .filter(one => one.type === 'Label').map(one => one.text.text)"""


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """Pages that a test has opened close with it: else they would go on drawing, and the next test
    would wait for them."""
    yield
    if "browser" in request.fixturenames:
        for context in request.getfixturevalue("browser").contexts:
            context.close()


def text(page: Any, selector: str) -> str:
    found: str = page.inner_text(selector)
    return found


def supply(page: Any) -> None:
    """Go to the first chapter of the creators, and wait until it is drawn."""
    page.wait_for_selector(DRAWN)
    page.locator("[data-chapter=producer-0]").scroll_into_view_if_needed()
    page.wait_for_selector("figure[data-picture=posts] .plot > *")


def test_a_policy_from_the_page_shows_its_mark_and_its_effect_and_the_run_replays(
    tmp_path: Path, browser: Any
) -> None:
    """Numbers and dates move; pause holds; a lever pulled on the page is drawn; three pages change
    no byte; text stays text."""
    with running(tmp_path, BASE, *settings(f"name={json.dumps(HOSTILE)}"), "--pace", SLOW) as run:
        page, complaints, asked = visit(browser, run.url)
        others = [visit(browser, run.url, color_scheme="dark") for _ in range(2)]
        for one in (page, *(other for other, *_ in others)):
            supply(one)
        assert text(page, "#name") == HOSTILE
        assert "token" not in page.url
        date, card = text(page, "#date"), text(page, "[data-card='sessions '] .value")
        until(
            page,
            "([date, card]) => document.getElementById('date').textContent > date && "
            "document.querySelector(\"[data-card='sessions '] .value\").textContent !== card",
            [date, card],
        )
        drawn = page.evaluate(DATA, "posts")
        until(page, f"count => (({DATA})('posts').t ?? []).length > count", len(drawn["t"]))

        page.click("#pause")
        page.wait_for_selector("[data-state=paused]")
        # what was on its way is there once the page shows where the run left its checkpoint
        stood = latest(run.folder / "checkpoints")
        assert stood is not None
        date = str(FIRST + dt.timedelta(seconds=int(stood.name[1:])))
        until(page, "date => document.getElementById('date').textContent === date", date)
        page.wait_for_timeout(1000)
        assert text(page, "#date") == date
        assert text(page, "#pause") == "Continue"
        assert "checkpoint" in text(page, "#said")

        page.click("summary:text-is('Feed')")
        page.wait_for_selector("[data-chapter=platform-0] .quiet")
        assert "Labelled impressions" in text(page, "[data-chapter=platform-0] .quiet")
        page.wait_for_selector("#lever option", state="attached")
        page.select_option("#lever", "creators.label_ai")
        assert "from 0 to 1" in text(page, "#about")
        assert text(page, "#idle") == "This is its value now: applying it changes nothing."
        page.select_option("#lever", "recommender.tables.post.slots")
        assert text(page, "#idle") == (
            "It cannot act while recommender.tables.post.kind is collisionless."
        )
        # the month ends before a new model that is asked for on the 27th would take over
        page.select_option("#lever", "recommender.dim")
        page.fill("#value", "4")
        assert text(page, "#idle") == ""
        page.select_option("#when", "date")
        page.fill("#at", "2025-01-27")
        assert text(page, "#idle") == (
            "recommender.dim: changed on 26 January 2025 or later it acts too late. The new model "
            "warms up for 7d (recommender.migration_warm_up) and would take over after the run ends."
        )
        page.select_option("#when", "now")
        assert text(page, "#idle") == ""
        page.select_option("#lever", "creators.label_ai")
        # a date before the run, and then "now": the field that is hidden refuses nothing
        page.select_option("#when", "date")
        page.fill("#at", "2001-01-01")
        page.select_option("#when", "now")
        page.fill("#value", "2")
        assert text(page, "#idle") == ""
        page.click("#apply")
        page.wait_for_selector("#reply.bad")
        assert text(page, "#reply").startswith("creators.label_ai: ")  # and not "form:2: set."
        page.fill("#value", "1")
        page.fill("#policy-name", HOSTILE[:80])
        page.click("#apply")
        until(page, REPLIED, "creators.label_ai=1")
        assert not page.query_selector("#reply.bad")
        when = FIRST + dt.timedelta(seconds=int(stood.name[1:]))
        assert f"on {when.day} January 2025" in text(page, "#reply")  # and not "at 57h"
        page.click("[data-tab=ready]")
        page.select_option("#ready", "demote_ai")
        assert "Posts of AI creators count half. Deezer (2025)" in text(page, "#ready-says")
        assert text(page, "#ready-sets") == "recommender.ai_factor: 1 -> 0.5"
        assert text(page, "#ready-idle") == ""
        page.select_option("#ready", "collisionless_table")
        assert "All of that is in force" in text(page, "#ready-idle")
        page.select_option("#ready", "demote_ai")
        page.fill("#branch", "cut")
        page.click("#fork")
        until(page, REPLIED, "a-cut")
        assert "AI demoted" in (tmp_path / "a-cut" / "scenario.yaml").read_text()
        page.click("[data-tab=none]")
        page.fill("#branch", "twig")
        page.click("#fork")
        until(page, REPLIED, "a-twig")
        assert (tmp_path / "a-twig" / "manifest.json").exists()

        # only what is looked at is drawn
        page.locator("[data-chapter=producer-0]").scroll_into_view_if_needed()
        page.click("#pause")
        page.wait_for_selector("body[data-state=running]")
        page.wait_for_selector("#policies li")
        assert HOSTILE in text(page, "#policies li")
        until(page, f"name => ({LABELS})('posts').join() === name", HOSTILE[:21] + "…")
        page.select_option("#pick-producer", "none")
        page.select_option("#pick-consumer", "labelled_impressions ")
        until(page, "() => drawn.series[0].title === 'Labelled impressions'")
        until(page, "() => drawn.lines[0].y.at(-1) > 0")
        assert HOSTILE[:25] + "…" in page.text_content("#chart")
        page.wait_for_selector(
            "#lever option[data-value='1']:text-is('label_ai')", state="attached"
        )
        page.click("[data-pace='1']")
        until(page, SAID, "1 simulated days per second")
        page.click("[data-pace=max]")
        until(page, SAID, "as fast as it can")
        page.wait_for_selector("body[data-state=done]")
        assert (
            "report.html" in text(page, "#notice")
            and text(page, "#share") == "100 %"
            and text(page, "#date") == "2025-02-02"
        )
        assert run.process.wait(PATIENCE_S) == 0, run.lines
        for one, *_ in [(page,), *others]:  # pictures are whole although the server has gone
            until(one, f"() => ({DATA})('posts').t.at(-1) >= Date.UTC(2025, 1, 1)")
        assert page.is_disabled("#apply") and page.is_disabled("#pause")
        for one, said, wanted in [(page, complaints, asked), *others]:
            assert not said, (run.lines, asked)
            assert all(address.startswith(f"{run.base}/") for address in wanted)
            assert one.title() != "owned"
        assert page.evaluate("document.querySelectorAll('img').length") == 0
        assert run.token not in " ".join(
            path.read_text(errors="replace") for path in run.folder.rglob("*") if path.is_file()
        )
    for branch, again in (("a", "b"), ("a-cut", "c")):
        called("run", f"{branch}/scenario.yaml", "--out", again, "--quiet", cwd=tmp_path)
        assert tables(tmp_path / branch) == tables(tmp_path / again)
    # the branch without a change ends as the run does
    assert tables(tmp_path / "a-twig") == tables(tmp_path / "a") != tables(tmp_path / "a-cut")


def tables(run: Path) -> list[bytes]:
    """The bytes of what a run has read."""
    return [(run / f"{name}.parquet").read_bytes() for name in ("metrics", "events")]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running, None, None]:
    """A run that goes on slowly for as long as tests look at it."""
    with running(
        tmp_path_factory.mktemp("held"), BASE, *settings("duration=2000d"), "--pace", "1"
    ) as run:
        yield run


def ask(
    run: Running | str, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, str], str]:
    """One plain request; header names with _ for -."""
    base = run if isinstance(run, str) else run.base
    connection = http.client.HTTPConnection(
        "127.0.0.1", int(base.rpartition(":")[2]), timeout=PATIENCE_S
    )
    connection.request(
        method,
        path,
        body or None,
        {name.replace("_", "-"): value for name, value in headers.items()},
    )
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def test_only_the_token_opens_it_and_only_the_page_itself_steers(held: Running) -> None:
    """Host, origin, kind of content and token are all asked for; nothing is allowed to other
    origins; nothing is kept."""
    bearer, origin, kind = f"Bearer {held.token}", held.base, "application/json"
    for path in (
        "/run",
        "/levers",
        "/world",
        "/stream",
        "/chapter/producer-0",
        "/readings/producer-0?since=0",
    ):
        assert ask(held, "GET", path)[0] == 401
        assert ask(held, "GET", path, Authorization="Bearer wrong")[0] == 403
        assert ask(held, "GET", path, Authorization=bearer, Host="rebound.example:80")[0] == 403
    assert ask(held, "GET", "/", Host="rebound.example")[0] == 403
    pause = json.dumps({"do": "pause"})
    for headers in (
        {"Origin": origin, "Content_Type": kind},
        {"Authorization": "Bearer x", "Origin": origin, "Content_Type": kind},
    ):
        assert ask(held, "POST", "/command", pause, **headers)[0] in (401, 403)
    good = {"Authorization": bearer, "Origin": origin, "Content_Type": kind}
    assert (
        ask(held, "POST", "/command", pause, **{**good, "Origin": "http://evil.example"})[0] == 403
    )
    assert ask(held, "POST", "/command", pause, Authorization=bearer, Content_Type=kind)[0] == 403
    assert ask(held, "POST", "/command", pause, **good, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(held, "POST", "/command", pause, **{**good, "Content_Type": "text/plain"})[0] == 415
    assert ask(held, "POST", "/command", "{", **good)[0] == 400
    for wrong in (
        {"do": "status"},
        {"do": "intervene", "file": "../../secret.yaml"},
        {"do": "fork", "branch": "../x"},
        {"do": "compare", "worlds": 2},
        {"do": "compare", "file": "hide_counts", "worlds": "2; rm"},
        {"do": "compare", "file": "hide_counts", "worlds": 2, "branch": "../x"},
        {"do": "stop", "comparison": "../x"},
        {"do": 1},
    ):
        status, _, answer = ask(held, "POST", "/command", json.dumps(wrong), **good)
        assert status == 200 and "\n" not in json.loads(answer)["error"]
    assert ask(held, "GET", "/chapter/nothing", Authorization=bearer)[0] == 404
    status, headers, _ = ask(
        held,
        "OPTIONS",
        "/command",
        Origin="http://evil.example",
        Access_Control_Request_Method="POST",
    )
    assert status == 401 and not any(name.startswith("access-control") for name in headers)
    _, headers, page = ask(held, "GET", "/")
    assert (
        "default-src 'none'" in headers["content-security-policy"]
        and "unsafe-eval" not in headers["content-security-policy"]
    )
    assert "script-src 'self';" in headers["content-security-policy"] and "server" not in headers
    assert (headers["x-frame-options"], headers["cache-control"], headers["referrer-policy"]) == (
        "DENY",
        "no-store",
        "no-referrer",
    )
    assert (
        headers["x-content-type-options"] == "nosniff"
        and "onclick" not in page
        and "<script>" not in page
    )
    assert command(held.folder, {"do": "status"})["ok"] == "running"


def test_a_wrong_token_is_refused_and_the_page_says_so(held: Running, browser: Any) -> None:
    """Nothing of the run is shown."""
    page, *_ = visit(browser, f"{held.base}/#token=wrong")
    page.wait_for_selector("[data-state=refused]")
    assert "wrong token" in text(page, "#notice")
    assert text(page, "#name") == "twin" and not page.query_selector(".card")


def test_another_site_cannot_pause_it(held: Running, browser: Any, tmp_path: Path) -> None:
    """A form, requests without and with leave, and a frame, from a page of another origin that even
    knows the token."""
    pause = json.dumps({"do": "pause"})
    (
        tmp_path / "index.html"
    ).write_text(f"""<iframe name=f></iframe><form id=x method=post target=f enctype="text/plain"
        action="{held.base}/command"><input name='{pause[:-1]},"a":"' value='"}}'></form><script>
        document.getElementById("x").submit();
        const all = [fetch("{held.base}/command", {{method: "POST", mode: "no-cors", body: '{pause}'}}),
          fetch("{held.base}/command", {{method: "POST", body: '{pause}', headers: {{"Content-Type": "application/json",
            Authorization: "Bearer {held.token}"}}}}), fetch("{held.base}/run", {{headers: {{Authorization: "Bearer {held.token}"}}}})];
        Promise.allSettled(all).then(done => document.title = done.map(one => one.value ? one.value.type : "failed").join())</script>
        <iframe src="{held.url}"></iframe>""")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *given: Quiet(*given, directory=str(tmp_path))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page, *_ = visit(browser, f"http://127.0.0.1:{server.server_port}/")
        until(page, "() => document.title.includes(',')")
        assert page.title() in ("failed,failed,failed", "opaque,failed,failed")
        page.wait_for_timeout(500)
        assert all(not frame.query_selector("#name") for frame in page.frames)
    finally:
        server.shutdown()
        server.server_close()
    assert command(held.folder, {"do": "status"})["ok"] == "running"


def test_it_fits_a_phone_and_is_dark_where_that_is_wanted(held: Running, browser: Any) -> None:
    """No scrolling sideways at 375 pixels, whatever is open; the ground is dark in dark mode, and
    the button turns it."""
    phone, complaints, _ = visit(
        browser,
        held.url,
        viewport={"width": 375, "height": 700},
        is_mobile=True,
        has_touch=True,
        color_scheme="dark",
    )
    phone.wait_for_selector(".card")
    phone.click("#open-commands")
    phone.wait_for_selector("#lever option", state="attached")
    for panel in ("lever", "ready", "yaml", "none"):
        if phone.is_visible(f"[data-tab={panel}]"):
            phone.click(f"[data-tab={panel}]")
            assert phone.evaluate("document.documentElement.scrollWidth") == 375
    phone.click("#open-commands")
    phone.locator("[data-chapter=producer-0]").scroll_into_view_if_needed()
    phone.wait_for_selector("[data-chapter=producer-0] figure .plot > *")
    assert phone.evaluate("document.documentElement.scrollWidth") == 375
    ground = "getComputedStyle(document.body).backgroundColor"
    assert phone.evaluate(ground) == "rgb(17, 21, 27)"
    phone.click("#theme")
    assert phone.evaluate(ground) == "rgb(244, 246, 249)"
    assert not complaints


def test_a_page_opened_late_sees_the_whole_course(held: Running, browser: Any) -> None:
    """From the first day on, not from when it was opened; and it draws what the run folder will
    hold."""
    page, *_ = visit(browser, held.url)
    supply(page)
    drawn = page.evaluate(DATA, "posts")
    assert drawn["t"][0] == 1735689600000 + 86_400_000
    assert len(drawn["t"]) == len(drawn["human"]) >= 2 and max(drawn["human"]) > 0


def test_a_page_that_is_hidden_while_it_draws_goes_on(held: Running, browser: Any) -> None:
    """Where no frame comes any more, as in a page that was hidden after it had drawn, it takes
    further readings all the same."""
    page, complaints, _ = visit(browser, held.url)
    supply(page)
    page.evaluate("() => { window.requestAnimationFrame = () => 0 }")
    for _ in range(3):
        taken = len(page.evaluate(DATA, "posts")["t"])
        until(page, f"count => ({DATA})('posts').t.length > count", taken)
    assert not complaints


def test_a_resumed_run_shows_what_was_before(tmp_path: Path, browser: Any) -> None:
    """Interrupted with its page open, which says so; resumed, the new page has the course and the
    marks from the start."""
    likes = tmp_path / "likes.yaml"
    likes.write_text("name: likes\nset: {recommender.preset: likes}\n")
    with running(
        tmp_path, BASE, *settings("duration=2000d"), "--pace", "4", "--policy", f"{likes}@3d"
    ) as run:
        page, *_ = visit(browser, run.url)
        # a date: what stands there before the first message is greater than any
        until(page, "() => /^20\\d\\d-/.test(document.getElementById('date').textContent)")
        until(page, "() => document.getElementById('date').textContent >= '2025-01-07'")
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(PATIENCE_S) == 130
        page.wait_for_selector("[data-state=ended]")
        assert "twin resume" in text(page, "#notice")
    with running(tmp_path, None, "--pace", "0.5") as run:
        page, complaints, _ = visit(browser, run.url)
        supply(page)
        until(page, f"() => (({DATA})('posts').t ?? [])[0] === {1735689600000 + 86_400_000}")
        until(page, "() => document.getElementById('policies').textContent.includes('likes')")
        until(page, f"() => JSON.stringify(({LABELS})('posts')) === JSON.stringify(['likes'])")
        assert not complaints


def test_flags_that_contradict_each_other(tmp_path: Path) -> None:
    """One line with the mend, before anything runs."""
    for arguments in (("--live", "0.0.0.0:8000"), ("--live", "--quiet")):
        done = called("run", BASE, "--out", "a", *arguments, cwd=tmp_path, check=False)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
        assert not (tmp_path / "a").exists()
    assert not mailbox.is_open(tmp_path / "a")


def test_on_a_terminal_the_browser_opens_once_and_the_page_stays_until_interrupted(
    tmp_path: Path, browser: Any
) -> None:
    """What a browser is started with works once and is no token; after the run the page is there
    still, and opens the report as a page that cannot command the run; Ctrl-C ends it, status 0."""
    opener = tmp_path / "opener"
    opener.write_text('#!/bin/sh\necho "$1" > opened.part && mv opened.part opened\n')
    opener.chmod(0o755)
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "twin",
            "run",
            str(BASE),
            "--out",
            "a",
            "--live",
            *settings("duration=2d"),
        ],
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={
            **os.environ,
            "TWIN_NO_BROWSER": "",
            "DISPLAY": ":0",
            "BROWSER": f"{opener} %s",
            "TERM": "xterm",
            "COLUMNS": "300",
        },
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    seen = b""
    while b"until you press Ctrl-C" not in seen:
        seen += os.read(mine, 65536)
    once = (tmp_path / "opened").read_text().strip()
    base, _, code = once.partition("/open/")
    status, headers, _ = ask(base, "GET", f"/open/{code}")
    assert (
        status == 303
        and headers["location"].startswith("/#token=")
        and code not in headers["location"]
    )
    assert headers["location"].removeprefix("/").encode() in seen
    assert ask(base, "GET", f"/open/{code}")[0] == 403
    bearer = f"Bearer {headers['location'].partition('=')[2]}"
    assert ask(base, "GET", "/run", Authorization=bearer)[0] == 200
    status, _, said = ask(
        base,
        "POST",
        "/command",
        '{"do": "pause"}',
        Authorization=bearer,
        Origin=base,
        Content_Type="application/json",
    )
    assert status == 200 and "the run has ended and takes no more commands" in said
    page, complaints, _ = visit(browser, base + headers["location"])
    page.wait_for_selector("body[data-state=done] #open-report")
    with page.context.expect_page() as opened:
        page.click("#open-report")
    report = opened.value
    report.on("pageerror", lambda error: complaints.append(str(error)))
    # its scripts run, and its pictures with them
    until(report, "() => window.Bokeh && Bokeh.documents.length > 0")
    assert "base" in report.title() and report.evaluate("window.origin") == "null"
    assert ask(base, "GET", "/report/wrong")[0] == 404 and not complaints
    os.write(mine, b"\x03")
    assert process.wait(PATIENCE_S) == 0
    os.close(mine)
