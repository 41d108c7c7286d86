"""`web`: the HTTP server, gunicorn with threads. Rule: the port is taken before anything else starts."""

import os
import socket
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from ivr.logs import set_up_logs
from settings import Settings, load
from store.errors import StoreError
from web.application import create_app
from web.service import from_settings

WORKERS = 2
THREADS = 16


@click.command()
def web() -> None:
    """Serve the API, health and metrics on HTTP_BIND until SIGTERM."""
    settings = load()
    set_up_logs()
    _Server(settings, _listen(settings)).run()


def _listen(settings: Settings) -> socket.socket:
    """Take the port, or say in one line who cannot have it; gunicorn itself would try five times and log each."""
    host, port = settings.http_bind
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise click.UsageError(f"HTTP_BIND {host}:{port} cannot be used: {os.strerror(error.errno or 0)}") from error


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """One gunicorn whose workers open the store after the fork: a connection must not be shared."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        try:
            from_settings(settings).engine.dispose()
        except StoreError as error:
            raise click.UsageError(str(error)) from error
        super().__init__()

    def load_config(self) -> None:
        """Configure it; the access log stays off, for paths hold tokens."""
        options: dict[str, Any] = {
            "bind": f"fd://{self._listener.fileno()}",
            "workers": WORKERS,
            "worker_class": "gthread",
            "threads": THREADS,
            "accesslog": None,
            "loglevel": "warning",
            "graceful_timeout": 8,
            "keepalive": 5,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            if name in self.cfg.settings:  # the control socket, which writes into $HOME, is newer than the rest
                self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401  a WSGI application
        """Make the application in a worker; what it imports was imported before the fork and is shared."""
        return create_app(from_settings(self._settings))
