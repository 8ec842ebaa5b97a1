"""Looks for faults for longer than tests run: ``python -m tests.campaign fuzz --minutes 10``.

Each campaign is seeded and prints one line per kind of failure, with the smallest input that it
could find. CI runs a few seconds of each (``tests/property/test_campaign.py``).
"""
