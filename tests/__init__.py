"""Tests by folder: each says in its `__init__` what it holds."""
