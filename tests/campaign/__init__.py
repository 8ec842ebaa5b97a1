"""Looks for faults for longer than tests run: ``python -m tests.campaign fuzz --minutes 10``.

    fuzz     inputs that are nearly right, of every kind that twin takes
    kill     signals at random moments of runs, watched or not, forks and experiments
    disk     a disk that becomes full
    servers  a Prometheus behind a proxy that misbehaves, or one that is killed
    crowd    200 pages, a thousand scrapes a second and those who ask what they should not
    soak     a paced live run for as long as one likes: what grows

Each campaign is seeded and prints one line per kind of failure, fuzz with the smallest input that it
could find. CI runs a few seconds of each (``tests/property/test_campaign.py``).
"""
