"""Posts requests to a remote-write receiver until it accepts them, or until patience ends."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from twin.readers.receiver import LaterError, Receiver, RefusedError, shown

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
"""Wall-clock seconds between two attempts: the first wait, doubled each time up to the longest."""
VAIN_PATIENCE_S = 2.0
"""Patience with answers whose reason no wait mends."""
GRACE_S = 2.0
"""How long after the end of patience an answer may still come."""


class Delivery:
    """Posts to one receiver. ``note`` gets a line when the receiver fails and when it is back.

    ``trouble`` says why the last request was not accepted. ``kept`` says in a note where the data
    stay meanwhile, ``again`` that they are sent again without the user.
    """

    kept, again = "nothing is lost", ""
    raised: tuple[type[RefusedError], ...] = ()
    """Refusals that the caller mends."""

    def __init__(self, url: str, note: Callable[[str], None]) -> None:
        self.url, self.trouble = url, ""
        self._note, self._receiver = note, Receiver(url)
        self._stop, self._limit, self._success = threading.Event(), math.inf, time.monotonic()
        self._vain = False

    def limit(self, patience_s: float) -> None:
        """Give up after so long without success."""
        # patience counts from here, however long the receiver has been down
        self._success, self._limit = time.monotonic(), patience_s

    def stop(self) -> None:
        """Give up now."""
        self._stop.set()

    def late(self) -> bool:
        """Whether patience has ended: an answer that is waited for may hold longer than that."""
        return time.monotonic() - self._success > self._limit + GRACE_S

    def waiting(self) -> str:
        """What is still to be sent, for the note that the receiver is back."""
        return "some"

    def post(self, body: bytes) -> bool:
        """Send one request until it is accepted (True) or given up. Raises TooLargeError, and what
        is ``raised``."""
        wait = FIRST_WAIT_S
        while not self._stop.is_set():
            try:
                self._receiver.post(body)
            except LaterError as later:
                # once per failure, not per attempt
                if not self.trouble:
                    self._note(f"remote write: {shown(self.url)}: {later}; {self.kept}{self.again}")
                self.trouble = str(later)
                self._vain = later.vain
                if self._pause(later.wait_s if later.wait_s is not None else wait):
                    return False
                wait = min(2 * wait, LONGEST_WAIT_S)
            except RefusedError as error:
                if isinstance(error, self.raised):
                    raise
                self.refused(str(error))
                return False
            else:
                if self.trouble:
                    self._note(
                        f"remote write: {shown(self.url)} takes readings again; "
                        f"{self.waiting()} were waiting"
                    )
                self.trouble, self._success = "", time.monotonic()
                return True
        return False

    def refused(self, reason: str) -> None:
        """Note that nothing more is sent, and why."""
        self.trouble = reason
        self._note(
            f"remote write: {shown(self.url)}: {reason}; nothing more is sent there, {self.kept}"
        )

    def _pause(self, seconds: float) -> bool:
        """Wait before another attempt; returns whether to give up instead."""
        until = time.monotonic() + seconds
        # in steps, since the run may end in the middle of a long wait
        while (now := time.monotonic()) < until:
            limit = min(self._limit, VAIN_PATIENCE_S) if self._vain else self._limit
            # until patience has ended, or a wait that was asked for goes beyond its end
            if math.isfinite(self._limit) and max(now, until) - self._success > limit:
                return True
            if self._stop.wait(min(0.1, until - now)):
                return True
        return False
