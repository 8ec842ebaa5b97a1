"""Layouts of logs that are well known, as maps; `twin observe --layout NAME --show-map` prints one.

The formats are described by those who publish them: KuaiRand (Gao et al., CIKM 2022), MIND (Wu et
al., ACL 2020), Open Bandit (Saito et al. 2021), EB-NeRD (Kruse et al. 2024), RecBole's atomic files
(Zhao et al., CIKM 2021), MovieLens (Harper and Konstan 2015).
"""

from __future__ import annotations

from typing import Any

KUAIRAND = {
    "description": "KuaiRand, log_standard_*.csv and log_random_*.csv (1K, 27K, Pure)",
    "zone": "Asia/Shanghai",
    "user": "user_id",
    "item": "video_id",
    "time": {"column": "time_ms", "unit": "ms"},
    "source": "tab",
    "explore": "is_rand",
    "responses": {
        "click": "is_click",
        "like": "is_like",
        "follow": "is_follow",
        "comment": "is_comment",
        "reshare": "is_forward",
        "hide": "is_hate",
        "long_view": "long_view",
    },
    "amounts": {"seconds": {"column": "play_time_ms", "unit": "s", "scale": 0.001}},
}
MIND = {
    "description": "MIND, behaviors.tsv; the zone of its times is not published",
    "delimiter": "\t",
    "columns": ("impression_id", "user_id", "time", "history", "impressions"),
    "user": "user_id",
    "time": {"column": "time", "pattern": "%m/%d/%Y %I:%M:%S %p"},
    "packed": {"column": "impressions", "mark": "-"},
}
OPEN_BANDIT = {
    "description": "Open Bandit Dataset, one file of a policy and campaign; says not who",
    "delimiter": ",",
    "item": "item_id",
    "time": "timestamp",
    "position": "position",
    "propensity": "propensity_score",
    "responses": {"click": "click"},
}
EBNERD = {
    "description": "EB-NeRD, behaviors.parquet",
    "zone": "Europe/Copenhagen",
    "user": "user_id",
    "time": "impression_time",
    "session": "session_id",
    "packed": {"column": "article_ids_inview", "responded": "article_ids_clicked"},
}
RECBOLE = {
    "description": "RecBole, an .inter file with time and rating; has no impressions",
    "delimiter": "\t",
    "user": "user_id:token",
    "item": "item_id:token",
    "time": {"column": "timestamp:float"},
    "amounts": {"rating": "rating:float"},
    "rows": "responses",
}
MOVIELENS = {
    "description": "MovieLens, ratings.csv; has no impressions",
    "delimiter": ",",
    "user": "userId",
    "item": "movieId",
    "time": {"column": "timestamp", "unit": "s"},
    "amounts": {"rating": {"column": "rating", "unit": "stars"}},
    "rows": "responses",
}
TWIN = {
    "description": "The interactions of a simulated world: a row per impression, times in UTC",
    "user": "consumer",
    "item": "post",
    "maker": "creator",
    "time": "time",
    "session": "session",
    "position": "place",
    "source": "source",
    "explore": "explore",
    "responses": {
        name: name
        for name in (
            "click",
            "long_view",
            "like",
            "comment",
            "reshare",
            "follow",
            "hide",
            "report",
        )
    },
}
LAYOUTS: dict[str, dict[str, Any]] = {
    "kuairand": KUAIRAND,
    "mind": MIND,
    "open-bandit": OPEN_BANDIT,
    "ebnerd": EBNERD,
    "recbole": RECBOLE,
    "movielens": MOVIELENS,
    "twin": TWIN,
}
"""Maps by the name of their layout."""
