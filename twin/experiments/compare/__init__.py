"""What do these policies do: worlds forked, with and without them."""
