"""The telephone side: flows, SIP, media, journal, and the node that joins them."""
