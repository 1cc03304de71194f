"""Everything of Gradio's that is not its public interface, in one place.

A body may name a file of the server ({"path": …, "meta": {"_type": "gradio.FileData"}}), which Gradio would copy to
where it can be fetched. There are two locks, and each is enough: no such body passes (`bodies`), and Gradio's own
check, which it leaves out of applications that are mounted, is switched on (`prepare`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from app.transport.quiet import gr

MAX_JOBS = 1000
MOST_STATES = 100  # visits of which Gradio keeps a copy of the page's description, of 50 kB; it is made anew if needed
PAUSE = (
    0.05  # seconds between two looks into Gradio's queue, which scripts alone use; its own, 0.001, keeps a core busy
)
NEVER = 3600.0  # seconds between two looks for progress that nobody reports


def mount(app: FastAPI, blocks: gr.Blocks, name_of: Callable[[HTTPConnection], str | None] | None, **options) -> None:
    """Gradio's page at /. name_of: a request -> who has logged in; None where nobody does.
    options: of `gr.mount_gradio_app`; what some of the supported versions do not know yet is left out."""
    known = inspect.signature(gr.mount_gradio_app).parameters
    options |= {"run_history": False, "show_error": False, "ssr_mode": False, "mcp_server": False, "pwa": False}
    options["root_path"] = ""  # each request has its own; what GRADIO_ROOT_PATH says is among them
    options = {name: value for name, value in options.items() if name in known}
    if name_of is not None:
        options["auth_dependency"] = name_of
    gr.mount_gradio_app(app, blocks, path="/", **options)


def prepare(blocks: gr.Blocks) -> None:
    """What there is no public way to set. Raises RuntimeError if a version of Gradio has lost one of these names."""
    # What a script asks for counts while it waits for its turn, and Gradio would run no more than 40 in all.
    _set(blocks, "max_threads", MAX_JOBS)
    _set(queue(blocks), "max_thread_count", MAX_JOBS)
    _set(blocks, "has_launched", True)  # or files that visitors name are not checked
    _set(blocks, "state_session_capacity", MOST_STATES)
    _set(queue(blocks), "sleep_when_free", PAUSE)
    _set(queue(blocks), "progress_update_sleep_when_free", NEVER)
    forgetting(blocks)


def queue(blocks: gr.Blocks):
    """Where Gradio keeps the events that wait, and those that are answered."""
    return _get(blocks, "_queue")


def forgetting(blocks: gr.Blocks) -> Callable[[str], None]:
    """What makes Gradio forget a visit that is over. It keeps all answers that nobody has fetched, of 2,000 visits."""
    kept = [_get(queue(blocks), name) for name in ("pending_messages_per_session", "pending_event_ids_session")]

    def forget(visit):
        for each in kept:
            each.pop(visit, None)

    return forget


def running():
    """The event of Gradio's queue whose function is running here; None for a call that did not come by the queue.

    Its `alive` is false once the stream of answers was closed from the other side.
    """
    blocks, identity = gr.context.LocalContext.blocks.get(None), gr.context.LocalContext.event_id.get(None)
    if not blocks or not identity:
        return None
    return _get(queue(blocks), "event_ids_to_events").get(identity)


def _get(thing, name):
    if not hasattr(thing, name):
        kind = type(thing).__name__
        raise RuntimeError(f"Gradio {gr.__version__} has no {kind}.{name}: {__name__} must be adapted")
    return getattr(thing, name)


def _set(thing, name, value):
    _get(thing, name)
    setattr(thing, name, value)
