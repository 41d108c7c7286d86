"""The commands of the telephone side."""
