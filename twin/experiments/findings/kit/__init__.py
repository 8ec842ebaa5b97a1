"""What all findings are declared and judged with."""
