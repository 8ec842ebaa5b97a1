"""Interaction logs of platforms, read once, and what is kept of them: tables of aggregates."""
