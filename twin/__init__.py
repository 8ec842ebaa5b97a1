"""twin: a discrete-event digital twin of a social platform."""
