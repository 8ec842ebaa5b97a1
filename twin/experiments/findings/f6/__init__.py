"""Finding 6: posts by AI displace human creators."""
