"""The HTTP side: the API for channels and systems, health and metrics."""
