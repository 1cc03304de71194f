"""python -m app: check the options, start the server, print the address, open a browser."""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import sys
from pathlib import Path

DEFAULT_PORT = 7860
TRIED_PORTS = 40


class Refused(Exception):
    """A start that cannot be; the message says what to do instead."""


def options(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app", description="The EDM explorer, in a browser.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, help=f"port (default: the first free one from {DEFAULT_PORT})")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, … (default: the GPU if there is one)")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="PATH",
        help="show this too: a .safetensors file of ours, or a run's folder with all its checkpoints; may be repeated",
    )
    parser.add_argument("--runs", metavar="FOLDER", help="folder of all training runs (default: $EDM_RUNS, or runs/)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--password",
        default=os.environ.get("EDM_PASSWORD"),
        help="ask visitors for it (user name: edm); needed on any host but this machine; also EDM_PASSWORD",
    )
    return parser.parse_args(arguments)


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening_socket(host: str, port: int | None) -> socket.socket:
    """A socket bound to the port, or to the first free one near 7860. Raises Refused."""
    if port is not None and not 0 <= port <= 65535:
        raise Refused(f"port {port} does not exist; use 1 to 65535")
    ports = [port] if port is not None else range(DEFAULT_PORT, DEFAULT_PORT + TRIED_PORTS)
    for candidate in ports:
        try:
            family = socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0][0]
        except OSError:
            raise Refused(f"host {host!r} is not an address of this machine; try 127.0.0.1 or 0.0.0.0") from None
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(128)
            return listener
        except OSError as error:
            listener.close()
            reason = error.strerror or str(error)
    refused = f"port {port} cannot" if port is not None else f"no port from {DEFAULT_PORT} to {ports[-1]} can"
    raise Refused(f"{refused} be used on {host} ({reason}); choose another with --port")


def show(paths) -> None:
    """Make models known to the page. Raises ValueError or OSError for what are none."""
    from edm import models

    for path in map(Path, paths):
        if path.is_dir():
            models.register_run(path)
        else:
            models.register(path, path.stem)


def main(arguments=None) -> int:
    """Returns the exit code: 0, or 2 after a sentence about what was wrong."""
    chosen = options(arguments)
    try:
        if not is_local(chosen.host) and not chosen.password:
            raise Refused(f"others can reach {chosen.host}: give a password with --password, or use 127.0.0.1")
        listener = listening_socket(chosen.host, chosen.port)
        from edm import runner

        try:
            show(chosen.model)
            device = runner.device(chosen.device)
        except (ValueError, OSError) as error:
            raise Refused(str(error)) from None
    except Refused as refusal:
        print(f"python -m app: {refusal}", file=sys.stderr)
        return 2
    from app.server import serve

    serve(listener, device, chosen.password, browser=not chosen.no_browser, runs=chosen.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
