"""Experiments: whole runs as tasks."""
