"""Parameters fitted to data: rates, makers' learning, slopes of responses, and the data that each
fit may use."""
