"""SIP as a user agent server needs it. Pure: bytes and time in, bytes and deadlines out."""
