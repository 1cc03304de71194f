"""python -m app: check the options, start the server, print the address, open a browser."""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import sys
from pathlib import Path

from app.visitors import passwords
from app.visitors.limits import Allowance
from edm.base import paths
from edm.base.errors import Refused
from edm.commands.help import Help

ABOUT = """The EDM explorer, in a browser. The address is printed, and a browser opens where there is one. The page
fetches nothing from elsewhere. Where this is installed, the command is edm-explorer, too."""
MORE = """examples:
  python -m app
  python -m app --port 8000 --no-browser --device cuda
  python -m app --model runs/digits --model model.safetensors
  python -m app --host 0.0.0.0 --password WORD
  python -m app --host 0.0.0.0 --classroom
  python -m app --password WORD --root-path /edm
  python -m app lessons export rho

With the word lessons first it writes a lesson as a page of its own: python -m app lessons export --help.

Without a password everybody who has an account on this machine can open the page and do all that you can. One that
others can reach needs one; it shows everything, and starts nothing unless it is a classroom.

A classroom: a password for the class and one for the teacher are printed, or given. Students log in with any name and
the password of the class; a blank and a word of their own after it keeps the name theirs. They start, stop, resume and
delete their own runs, within the limits above; whoever gives the teacher's password may do all.

Passwords travel unencrypted unless a proxy adds https. Wrong ones are answered late, right ones at once; neither can be
read in the server's environment or command line afterwards."""
DEFAULT_PORT = 7860
TRIED_PORTS = 40
MOST_WORKERS = 256


def options(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m app", description=ABOUT, epilog=MORE, formatter_class=Help, allow_abbrev=False
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, help=f"port (default: the first free one from {DEFAULT_PORT})")
    parser.add_argument(
        "--device",
        default="auto",
        help="cpu, cuda, cuda:1, …, until another is chosen on the page (default: the GPU if there is one)",
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="PATH",
        type=paths.text,
        help="show this too: a .safetensors file of ours, or a run's folder with all its checkpoints; may be repeated",
    )
    parser.add_argument(
        "--runs", type=paths.text, metavar="FOLDER", help="folder of all training runs (default: $EDM_RUNS, or runs/)"
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that compute, on the CPU; on a GPU one does; 0: the server itself (default: one for each core)",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--password",
        default=os.environ.get("EDM_PASSWORD") or None,
        help="ask visitors for it (user name: edm; in a classroom any), also those who have accounts on this machine; "
        "needed on any other host; also EDM_PASSWORD",
    )
    _add_front(parser.add_argument_group("behind a proxy, and in other pages"))
    _add_classroom(parser.add_argument_group("classroom"))
    return parser.parse_args(arguments)


def _add_front(group) -> None:
    group.add_argument(
        "--root-path",
        default=os.environ.get("GRADIO_ROOT_PATH") or "",
        metavar="PATH",
        help="the path under which a proxy serves the page, such as /edm, whether it passes that on or takes it away; "
        "also GRADIO_ROOT_PATH",
    )
    group.add_argument(
        "--proxy",
        action="store_true",
        help="a proxy that asks who comes stands in front, such as Jupyter's: answer to its name without a password, "
        "and believe its X-Forwarded-… headers (so do --root-path and --password)",
    )
    group.add_argument(
        "--embed",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="pages of this origin, such as https://moodle.example, may hold this one in a frame; may be repeated "
        "(default: any page if there is a password, none else)",
    )


def _add_classroom(group) -> None:
    group.add_argument(
        "--classroom",
        action="store_true",
        help="visitors log in with any name and --password, and may start runs within the limits below; what is not "
        "given of the two passwords is made up and printed",
    )
    group.add_argument(
        "--teacher-password",
        default=os.environ.get("EDM_TEACHER_PASSWORD") or None,
        help="whoever logs in with it may do all; also EDM_TEACHER_PASSWORD",
    )
    for name, (field, kind, help) in _LIMITS.items():
        default = getattr(Allowance, field) / (1e6 if field == "upload" else 1)
        group.add_argument(name, type=kind, default=kind(default), help=f"{help} (default: %(default)s)")


_LIMITS = {
    "--run-minutes": ("minutes", float, "the longest that a student's run may take"),
    "--run-images": ("images", int, "and the most images it may train on"),
    "--run-parameters": ("parameters", int, "its largest network"),
    "--run-batch": ("batch", int, "its largest batch"),
    "--runs-at-once": ("at_once", int, "runs of one student that are not over"),
    "--runs-each": ("runs", int, "runs of one student in all"),
    "--upload-mb": ("upload", float, "megabytes that a student may upload at once"),
}


def room(chosen):
    """The `app.visitors.room.Room` of the options: who may do what. Raises Refused."""
    values = {field: getattr(chosen, name[2:].replace("-", "_")) for name, (field, _, _) in _LIMITS.items()}
    for name, (field, _, _) in _LIMITS.items():
        if not 0 < values[field] < float("inf"):
            raise Refused(f"{name} {values[field]:g}: must be more than 0")
    values["upload"] = int(values["upload"] * 1e6)
    password, teacher, local = chosen.password, chosen.teacher_password, is_local(chosen.host)
    for name, word in (("--password", password), ("--teacher-password", teacher)):
        if word is not None and not word.strip():
            raise Refused(f"{name} is empty, so that everybody would be let in; give a word, or leave it out")
    if not local and not password and not chosen.classroom:
        remedy = "give a password with --password, or use 127.0.0.1, or --classroom"
        raise Refused(f"others can reach {chosen.host}: {remedy}")
    from app.visitors.passwords import generated
    from app.visitors.room import Room

    if not chosen.classroom:
        return Room(chosen.runs, local, password)
    made = Room(chosen.runs, local, password or generated(), True, teacher or generated(), Allowance(**values))
    for given, who, one in (
        (password, "class", made.entrance.password),
        (teacher, "teacher", made.entrance.teacher_password),
    ):
        if not given:
            print(f"EDM explorer: password of the {who}: {one}")
    return made


def front(chosen):
    """The `app.transport.forwarded.Front` of the options: what stands before the server. Raises Refused."""
    from app.transport.forwarded import Front

    return Front(chosen.root_path, chosen.proxy, tuple(chosen.embed))


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
        # TCP by name: asyncio sends at once only on sockets that say so; others hold back what follows a head for 40 ms
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # Windows lets two listen at one port if they want to reuse it, and has another word for what is meant here
        option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
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
    """Make models known to the page. Raises Refused or OSError for what are none."""
    from edm import models

    for path in map(Path, paths):
        if path.is_dir():
            models.register_run(path)
        else:
            models.register(path, path.stem)


def prepare(workers: int | None) -> None:
    """Let the process that computing processes are forked from load torch, while this one loads what it needs itself.
    Raises Refused."""
    from app.work import forks

    if workers is not None and not 0 <= workers <= MOST_WORKERS:
        raise Refused(f"--workers {workers}: must be 0 to {MOST_WORKERS}")
    forks.load("app.work.worker", "app.tabs", "app.training.warm")
    forks.prepare()


def pool(workers: int | None, device, own: bool):
    """The `app.work.jobs.Pool` of the options; None for none besides this process. Raises Refused."""
    if workers == 0:
        return None
    from app.work.processes import Processes
    from app.work.slots import CORES
    from edm import models

    return Processes("app.tabs:jobs", str(device), workers or CORES, own, models.registered)


def main(arguments=None) -> int:
    """Returns the exit code: 0, 2 after a sentence about what was wrong, or 1 after an error of the program,
    130 after Ctrl-C."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["lessons"]:
        from app.tours import command

        return command.main(given[1:])
    chosen = options(arguments)
    try:
        passwords.hide(chosen, anew=arguments is None)
        who, before = room(chosen), front(chosen)
        listener = listening_socket(chosen.host, chosen.port)
        from edm.base import cards

        cards.in_their_order()
        if chosen.workers != 0:
            prepare(chosen.workers)
        from edm.base import devices

        show(chosen.model)
        device = devices.device(chosen.device)
        os.environ["EDM_RUNS"] = str(who.folder)  # in which models of runs are looked for by name
        computing = pool(chosen.workers, device, who.kind == "own")  # begins while the page's own libraries are loaded
        from app.server import serve

        serve(listener, device, who, not chosen.no_browser, computing, before)
    except KeyboardInterrupt:  # before there is a server, which hears it itself
        print("python -m app: stopped", file=sys.stderr)
        return 130
    except Exception as error:
        from edm.__main__ import failed

        return failed("python -m app", error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
