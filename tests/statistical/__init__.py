"""Published experiments and their controls, sized for false alarms below 1 in 10,000."""
