"""The live component: one element whose scripts draw what the server answers, in place.

The page's scripts (assets/page) ask for themselves (`app.routes.events`), and paint on canvases: nothing is
re-mounted, zoom and focus stay, memory stays flat.
"""

from __future__ import annotations

import json

from app.transport.quiet import gr


class Live(gr.HTML):
    """The element that a script of assets/page fills. `boot` is what it knows from the start."""

    def __init__(self, script: str, boot: dict):
        super().__init__(
            value="",
            html_template='<div class="explorer"></div>',
            js_on_load=f"""
            const boot = {json.dumps(boot)};
            import(new URL("explorer/{script}", document.baseURI)).then((page) =>
                page.mount(element.querySelector(".explorer"), boot));
            """,
            apply_default_css=False,
        )
