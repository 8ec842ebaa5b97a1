"""Forecasts of published field experiments: a registry of designs, the twin's forecasts of their
outcomes, and the scores once results are known."""
