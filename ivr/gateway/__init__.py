"""Where the pure parts meet sockets, clocks and processes."""
