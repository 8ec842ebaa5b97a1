"""What a run leaves behind and how it is addressed: readings and events, names of series, messages
to and from a run."""
