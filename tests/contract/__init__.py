"""What every mechanism must keep to, whoever wrote it."""
