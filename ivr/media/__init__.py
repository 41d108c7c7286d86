"""RTP, G.711 and telephone-events. Pure: no sockets."""
