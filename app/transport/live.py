"""The live component: the place of one element whose scripts draw what the server answers.

The page's scripts (assets/page) are begun before Gradio's (`app.transport.first`), ask for themselves
(`app.routes.events`), and paint on canvases: nothing is re-mounted, zoom and focus stay, memory stays flat.
"""

from __future__ import annotations

from app.transport.quiet import gr


def place() -> gr.HTML:
    """Where the page's element goes once Gradio's frontend is there."""
    return gr.HTML(
        value="",
        html_template='<div class="explorer-place"></div>',
        js_on_load='document.dispatchEvent(new Event("explorer-place"));',
        apply_default_css=False,
    )
