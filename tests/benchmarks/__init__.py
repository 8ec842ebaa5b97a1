"""What time and memory cost; run by hand."""
