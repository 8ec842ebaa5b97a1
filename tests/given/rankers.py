"""Rankers of a scenario's own, and scenarios that name them."""

from pathlib import Path

from tests.conftest import SCENARIOS, SMALL
from twin.scenario.loading import Scenario, load

MODULE = '''"""Rankers on the contract of `twin.ranking`."""

import numpy as np

import twin


class Newest(twin.Ranker):
    """By age."""

    def score(self, batch):
        """The youngest first."""
        return -batch.age


class Popular(twin.Ranker):
    """By clicks."""

    def score(self, batch):
        """What is clicked most first."""
        return batch.popularity


class Lucky(twin.Ranker):
    """By luck."""

    def score(self, batch):
        """Any order."""
        return batch.uniforms("order")


class ClickerParams(twin.Params):
    """How it learns."""

    prior: float = twin.par(5.0, "impressions that the mean rate counts as", low=0)
    share: float = twin.par(1.0, "weight of what was learned", low=0, high=1, lever=True)


class Clicker(twin.Ranker[ClickerParams]):
    """By the click rate of creators, learned from the log; luck decides between equals."""

    Params = ClickerParams
    weighs = True

    def setup(self):
        """Nobody is known."""
        self.keep["seen"], self.keep["clicked"] = np.zeros(0), np.zeros(0)

    def learn(self, lesson):
        """Add up, half forgetting what was."""
        size = max(len(self.keep["seen"]), int(lesson.creator.max(initial=-1)) + 1)
        for name, weight in (("seen", None), ("clicked", lesson.did("click"))):
            old = np.zeros(size)
            old[: len(self.keep[name])] = self.keep[name]
            self.keep[name] = old / 2 + np.bincount(lesson.creator, weight, size)

    def gone(self, table, rows):
        """A creator's place is free."""
        if table == "creators":
            some = rows[rows < len(self.keep["seen"])]
            self.keep["seen"][some] = self.keep["clicked"][some] = 0

    def score(self, batch):
        """Shrunk rates."""
        size = int(batch.creator.max(initial=-1)) + 1
        seen, clicked = (
            np.append(self.keep[name], np.zeros(max(0, size - len(self.keep[name]))))
            for name in ("seen", "clicked")
        )
        mean = clicked.sum() / max(seen.sum(), 1)
        rate = (clicked + self.p.prior * mean) / (seen + self.p.prior)
        return self.lever("share") * rate[batch.creator] + 1e-6 * batch.uniforms("tie")


class Value(twin.Ranker):
    """The built-in value model in plain numpy: see `twin.kernels.ranking`."""

    weighs = True

    def score(self, batch):
        """Its scores, in its order of operations."""
        m, f4 = batch.model, np.float32
        rules, weight = m.rules[batch.arm[batch.session]], m.weights[batch.arm[batch.session]]
        share = rules["personalisation"]
        who, post = batch.person[batch.session], batch.post
        user, bias = m.user_vec[who], m.user_bias[who]
        mean = m.mean_vec + share[:, None] * (user - m.mean_vec)
        user = np.where(share[:, None] >= 1, user, mean)
        bias = np.where(
            share >= 1, bias, m.mean_bias[0] + share * (bias - m.mean_bias[0])
        )
        sums = [np.zeros((batch.size, 8), f4), np.zeros((batch.size, 8), f4)]
        dim = user.shape[1]
        for d in range(dim):
            odd = d % 2 if d < dim - dim % 2 else 0
            lanes = m.interaction[d] * user[:, d, None]
            sums[odd] += m.item_vec[post, d][:, None] * lanes
        logit = sums[0] + sums[1]
        base = m.intercept + m.user_scale * bias[:, None]
        logit = logit + (base + m.item_scale * m.item_bias[post][:, None])
        if len(m.linear):
            logit = logit + m.linear[post]
        p = sigmoid(logit) * weight
        score = ((p[:, 0] + p[:, 1]) + (p[:, 2] + p[:, 3])) + (
            (p[:, 4] + p[:, 5]) + (p[:, 6] + p[:, 7])
        )
        offset, low, total = (
            rules[name] for name in ("negative_offset", "negative_sum", "total_sum")
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            below = (score + low) / total * offset
        lifted = np.where((score >= 0) | (total <= 0), score + offset, below)
        score = np.where(offset > 0, lifted, score)
        near = batch.source == twin.ranking.SOURCES.index("in_network")
        factor = np.where(near, f4(1), rules["out_of_network"])
        factor = np.where(batch.ai, factor * rules["ai_factor"], factor)
        return np.where(score > 0, score * factor, score / np.maximum(factor, f4(1e-6)))


def sigmoid(x):
    """`twin.kernels.maths.sigmoid32` in numpy."""
    f4 = np.float32
    up = [-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08]
    up += [1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03]
    down = [1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03]
    most = f4(7.90531110763549805)
    y = np.minimum(np.maximum(x * f4(0.5), -most), most)
    z = y * y
    p, q = f4(up[0]), f4(down[0])
    for each in up[1:]:
        p = z * p + f4(each)
    for each in down[1:]:
        q = z * q + f4(each)
    return f4(0.5) + f4(0.5) * (p * y / q)
'''


def write(folder: Path, ranker: str, more: str = "", module: str = MODULE) -> Path:
    """A scenario with a ranker (``{class: ...}``; nothing: the built-in ones), on top of
    base.yaml."""
    (folder / "my").mkdir(parents=True, exist_ok=True)
    (folder / "my" / "ranker.py").write_text(module)
    block = f"mechanisms:\n  recommender:\n    ranker: {ranker}\n" if ranker else ""
    base = SCENARIOS / "base.yaml"
    (folder / "x.yaml").write_text(f"extends: {base}\n{block}{more}")
    return folder / "x.yaml"


def ranked(folder: Path, name: str, *sets: str, more: str = "") -> Scenario:
    """The small world for eight days with the ranker of that name, or with a built-in one."""
    path = write(folder, f"{{class: my.ranker.{name}}}" if name else "", more)
    return load(path, (*SMALL, "duration=8d", *sets))
