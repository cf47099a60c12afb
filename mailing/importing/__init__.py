"""Bringing clients in from a file: reading, checking, writing. Knows no HTTP and no task queue."""
