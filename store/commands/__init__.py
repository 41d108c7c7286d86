"""The commands that read and write the store."""
