"""The queue of what runs beside a run: in the order asked, no more than the processors bear."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from twin.readers.live import aside


def test_jobs_begin_in_order_as_processors_come_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """With four processors: three for jobs while the run goes at full speed, four when it rests; a
    job that takes more holds back those behind it."""
    monkeypatch.setattr(aside, "cores", lambda: 4)
    hub: Any = SimpleNamespace(frame=SimpleNamespace(paused=False))

    async def play() -> None:
        queue, news = aside.Queue(hub, lambda: None), list[str]()

        def job(name: str, wants: int) -> Any:
            one = SimpleNamespace(name=name, state="queued", takes=1)

            def start(room: int) -> None:
                one.state, one.takes = "running", min(room, wants)
                news.append(f"{name} {one.takes}")

            queue.add(one, start)
            return one

        a, b, c, d = job("a", 1), job("b", 9), job("c", 1), job("d", 1)
        queue.next()
        assert news == ["a 1", "b 2"] and queue.before(d) == 1 and queue.going == 4
        hub.frame.paused = True
        queue.next()
        assert news[2:] == ["c 1"]
        b.state = "done"
        queue.next()
        assert news[3:] == ["d 1"] and queue.names == ["a", "c", "d"]
        for one in (a, c, d):
            one.state = "done"
        await asyncio.wait_for(queue.finish(asyncio.Event()), 5)

    asyncio.run(play())
