"""What drives the World: SimPy's calendar and the simulation on it."""
