"""Tell whoever started this process that it is ready or stopping, by systemd's notification protocol.

Works under `serve`, under systemd (`Type=notify`) and, silently, under neither (sd_notify(3)).
"""

import os
import socket


def notify(state: str) -> None:
    """Send a line such as `READY=1` to the socket named by NOTIFY_SOCKET; without one, do nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(state.encode(), address)
        except OSError:
            # The starter is gone; the process goes on and its own supervisor decides.
            return
