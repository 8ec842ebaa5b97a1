"""A ranker of your own: what it is given, and what it gives.

    import twin

    class Newest(twin.Ranker):
        def score(self, batch):
            return -batch.age

A scenario names it: ``recommender: {ranker: {class: my.ranker.Newest}}``. See `Ranker`, `Batch`
(the sessions of a serving window with their candidates) and `Lesson` (what people did since the
last training).
"""

from twin.ranking.batch import SOURCES, Batch, Feed, Posts
from twin.ranking.lesson import RESPONSES, Lesson
from twin.ranking.ranker import Memory, Ranker
from twin.ranking.scores import Wrong, checked

__all__ = [
    "RESPONSES",
    "SOURCES",
    "Batch",
    "Feed",
    "Lesson",
    "Memory",
    "Posts",
    "Ranker",
    "Wrong",
    "checked",
]
