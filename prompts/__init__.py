"""The recordings callers hear: catalogue, rendering, import, checks."""
