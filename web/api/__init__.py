"""`/api/v1`: what channels and systems may ask and tell."""
