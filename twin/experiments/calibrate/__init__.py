"""`twin calibrate`: parameters of a scenario from what was observed of a platform, with the posterior
that says what was not identified."""
