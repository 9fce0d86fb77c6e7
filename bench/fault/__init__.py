"""Faults on real workers and a real broker, in named scenarios, and the one check that runs after each."""
