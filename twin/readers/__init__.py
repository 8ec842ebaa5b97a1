"""Readers of a run: they know metrics, the board and the run folder, and nothing of the engine."""
