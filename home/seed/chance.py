"""The one source of randomness of the sample data: the same section always throws the same dice."""

from random import Random

_SEED = 2026


def dice(section: str) -> Random:
    """Return a generator for `section`, whatever other sections did or skipped before."""
    return Random(f"{_SEED} {section}")  # noqa: S311 - sample data, no secret
