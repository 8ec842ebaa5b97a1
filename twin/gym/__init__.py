"""A platform as a Gymnasium environment: ``pip install 'twin[gym]'``.

    import twin.gym

    env = twin.gym.PlatformEnv(
        "quickstart",
        levers={"recommender.diversity": (0.0, 1.0)},
        observe=["satisfaction", "posts{by=human}"],
        reward={"enjoyed_per_session": 1.0},
        step="7d",
    )

See `PlatformEnv`.
"""

from twin.gym.env import PlatformEnv

__all__ = ["PlatformEnv"]
