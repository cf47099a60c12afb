"""Benchmarks: each prints a table and writes what it measured to bench/results/."""
