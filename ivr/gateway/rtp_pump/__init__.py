"""The media process: the 20 ms clock, its legs and their sockets. Nothing in it waits for anything else."""
