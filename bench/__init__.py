"""Benchmarks: what the service costs and how fast it is, measured beside the floor of the same machine."""
