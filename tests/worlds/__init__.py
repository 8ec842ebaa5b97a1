"""Small simulated worlds, run in this process: mechanisms together, and the same bytes always."""
