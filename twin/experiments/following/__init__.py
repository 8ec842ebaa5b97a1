"""A calibrated twin beside its platform: what it foretold of each day, and what was observed."""
