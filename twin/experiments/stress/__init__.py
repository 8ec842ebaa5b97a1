"""Where does a policy fail: a search over plausible worlds."""
