"""Which policy to apply to a platform, by a calibrated model of it. See `command`."""
