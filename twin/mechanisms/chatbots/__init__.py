"""Sessions with a personalised assistant: what each one does to expectations, trust, attachment,
privacy concern and truth.

A share of people ever adopts the assistant, each after an exponential delay. Sessions then come at
a rate that is lognormal across people, more often the more satisfying the last one was, until the
person stops. The equations of a session are in `twin.kernels.chat`: expectation confirmation
(Oliver 1980; Bhattacherjee 2001) with a baseline that rises faster than it falls. In the long run
people therefore expect more than they get: if gains and losses move the baseline at rates lambda_up
and lambda_down, it settles at the expectile of performance with tau = lambda_up / (lambda_up +
lambda_down).

If a question touches the person's stance, a reward model chooses between the true answer and the
other one. It learns from people's comparisons (`twin.kernels.reward`). How far people like being
agreed with is their own and hidden; the model estimates it for each person.

Well-being, and a randomised trial inside the twin (`wellbeing`). With a person's hidden loneliness
L ~ N(0, 1) and noise n that turns steadily from one N(0, 1) draw to the next every ``turns``,

    log rate of sessions = ... + lonely_use L        well-being = -r L + sqrt(1 - r^2) n +
                                                     use_effect * recent use

Everybody enrolled has access; one half, assigned by lot, is encouraged to use it (encouragement
design, Holland 1988). With use_effect = 0 the assigned condition must show no effect, while use and
well-being are correlated by selection: the result of Fang et al. (arXiv 2503.17473 v2).

No coefficients were found for the effects over time (Araujo & Bol 2024 report directions). Every
number here is therefore an assumption, and its consequences are hypotheses. The controls are equal
rates, no personalisation, a single session, no contested questions, no selection.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import NEVER
from twin.kernels import chat as kernel
from twin.kernels.reward import pool
from twin.kernels.tally import NOBODY
from twin.mechanisms.chatbots import wellbeing
from twin.mechanisms.chatbots.declared import CHATTERS, METRICS
from twin.mechanisms.chatbots.measures import Measures
from twin.mechanisms.chatbots.params import ChatbotsParams
from twin.world.mechanism import MIN_WAKE, Mechanism, Wakes
from twin.world.state import Made, World

__all__ = ["Chatbots", "ChatbotsParams"]

NO_ARM = np.zeros(0, np.int8)
"""In place of the column where all have one arm."""
# as the view of the column is: the kernel would compile once more for an array of another type
NO_ARM.flags.writeable = False


class Chatbots(Mechanism[ChatbotsParams]):
    """People chat with an assistant."""

    name = "chatbots"
    Params = ChatbotsParams
    order = 70
    reads = {"consumers": ("active", "arm", "left_at")}
    columns = {"chatters": CHATTERS}
    metrics = (*METRICS, *wellbeing.METRICS)
    provides = ("chatters.attachment_now", "consumers.wellbeing")

    def __init__(self, params: ChatbotsParams, world: World) -> None:
        super().__init__(params, world)
        self.wellbeing = wellbeing.Wellbeing(self)
        self.measures = Measures(self, self.wellbeing)
        self._people: Made[kernel.Chatters] = Made()
        world.provide("chatters.attachment_now", self.measures.attachment)
        world.provide("consumers.wellbeing", self.wellbeing.now)

    def setup(self) -> None:
        """Open the running sums; the reward model knows nothing."""
        self.measures.setup()
        self.keep["reward"] = pool(kernel.FEATURES, self.p.answers.prior_sd)

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw who adopts the assistant, each with a row of their own: when, what they expect and
        want of it."""
        if table != "consumers":
            return
        p, keys = self.p, self.read("consumers", "key")[rows]
        u, arm = self.uniforms("adopt", keys), self.wellbeing.arm(keys)
        enrolled = arm != wellbeing.OUTSIDE
        # everybody enrolled in the trial gets access, whatever their chance to adopt
        takes = np.flatnonzero(((u[:, 0] < p.adopters) | enrolled) & (p.sessions_mean > 0))
        keys, u, arm = keys[takes], u[takes], arm[takes]
        z = self.normals("person", keys, 4)
        # an exponential delay; u lies strictly above 0, so its logarithm is finite
        first = self.world.now + MIN_WAKE - np.log(u[:, 1]) * p.adoption_delay
        sd, lonely = p.sessions_log_sd, p.wellbeing.lonely_use
        # less half the variances: the mean of this lognormal law is sessions_mean
        rate = p.sessions_mean * np.exp(sd * z[:, 0] - sd**2 / 2 + lonely * z[:, 3] - lonely**2 / 2)
        expected = p.performance + p.expectation_sd * z[:, 1]
        # encouragement alone differs by lot: loneliness and everything else are drawn alike
        encouraged = arm == wellbeing.ASSIGNED
        # with the person's own key, so that luck by chatter and luck by person are the same draws
        self.world.add(
            self.name,
            "chatters",
            keys,
            person=rows[takes],
            next_at=first.astype(np.int64),
            rate=np.where(encouraged, p.wellbeing.encouragement, 1.0) * rate,
            expectation=expected,
            trust=np.clip(expected, 0, 1),
            taste=p.answers.taste_mean + p.answers.taste_sd * z[:, 2],
        )

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """People whose rows are released have no more sessions."""
        if table == "consumers":
            # row numbers of people are reused: a chatter left behind would belong to somebody else
            chatters = np.flatnonzero(
                self.read("chatters", "alive") & np.isin(self.read("chatters", "person"), rows)
            )
            self.mine("chatters", "next_at")[chatters] = NEVER
            self.world.release("chatters", chatters)

    def wakes(self) -> list[Wakes]:
        """Every user's next session."""
        return [Wakes("chatters", "next_at", "chat", self.chat)]

    def chat(self, rows: NDArray[np.int64]) -> None:
        """Hold the sessions of these chatters, in order."""
        tables = self.world.tables
        # columns move when either table grows; until then the tuple of views can be used again
        stamp = tables["chatters"].version, tables["consumers"].version
        assistant = kernel.Assistant(
            settings=self.settings(),
            reward=self.keep["reward"],
            stream=self.stream("session"),
            total=self.keep["total"].view(kernel.SUMS)[0],
            tally=self.world.service("chat_tally")()
            if self.world.has_service("chat_tally")
            else NOBODY,
        )
        kernel.chat(rows, self._people.get(stamp, self._columns), assistant, MIN_WAKE)

    def _columns(self) -> kernel.Chatters:
        """The columns that a session reads and writes."""
        arms = "arm" in self.world.table("consumers").columns
        return self.filled(
            kernel.Chatters,
            "chatters",
            left_at=self.read("consumers", "left_at"),
            # where all have one arm the kernel does not read it, but wants an array of the type
            arm=self.read("consumers", "arm") if arms else NO_ARM,
        )

    def measure(self) -> None:
        """Describe users, the sessions since the last reading, and the trial."""
        self.measures.measure()
