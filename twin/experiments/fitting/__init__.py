"""Parameters fitted to data: rates, the learning of creators, slopes of responses; and which data
each fit may use."""
