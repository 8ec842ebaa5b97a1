"""Which engineering settings exert force, and on whom."""
