"""Percentiles, and how they are written everywhere in the results: milliseconds with three decimals."""

from collections.abc import Iterable


def percentiles(seconds: Iterable[float]) -> dict[str, float | None]:
    """`p50`, `p99` and `max` in milliseconds; None where there is nothing to tell."""
    ordered = sorted(seconds)
    if not ordered:
        return {"p50": None, "p99": None, "max": None}
    places = {"p50": len(ordered) // 2, "p99": int(len(ordered) * 0.99), "max": len(ordered) - 1}
    return {name: round(ordered[place] * 1000, 3) for name, place in places.items()}


def from_buckets(buckets: list[tuple[float, float]], share: float) -> float | None:
    """A percentile in milliseconds from a histogram's cumulative (upper bound in seconds, count), interpolated."""
    total = buckets[-1][1] if buckets else 0
    low, below = 0.0, 0.0
    for bound, count in buckets:
        if total and count >= share * total:
            if bound == float("inf"):
                return None
            within = (share * total - below) / (count - below) if count > below else 1.0
            return round((low + (bound - low) * within) * 1000, 3)
        low, below = bound, count
    return None
