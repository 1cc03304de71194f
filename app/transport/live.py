"""The live component: one element whose scripts draw what Python sends, in place.

Python sends strings of JSON with arrays in base64, and the page's scripts (assets/page) paint them on
canvases: nothing is re-mounted, zoom and focus stay, memory stays flat. The page sends events back.
"""

from __future__ import annotations

import json

import gradio as gr

# What Python says goes to the scripts in its order, whether they are here or on their way. %s: under which name.
_HEARING = """
const scripts = import(new URL("explorer/shared/server.js", document.baseURI));
const hear = () => {
    const text = props.value;
    if (!text) return;
    const answer = JSON.parse(text);
    scripts.then(({ answered }) => answered(%s, answer));
};
watch('value', hear);
hear();
"""


class Live(gr.HTML):
    """The element that a script of assets/page fills. It sends `events`; `boot` is what it knows from the start. The
    page hears what is said to it as "opened", if it says what was opened, and as the answer to "ask" otherwise.

    `boot` is written into the script and not passed as a prop, since Gradio compares all props at each message.
    Never answer an event with gr.skip(): Gradio would build the component anew. A generator that ends without
    a value leaves it as it is.
    """

    def __init__(self, script: str, boot: dict, events: tuple[str, ...], **named):
        super().__init__(
            value="",
            html_template='<div class="explorer"></div>',
            js_on_load=f"""
            {_HEARING % 'answer.opened ? "opened" : "ask"'}
            // Gradio wires the events whose names it finds here: {json.dumps(events)}
            const boot = {json.dumps(boot)};
            import(new URL("explorer/{script}", document.baseURI)).then((page) =>
                page.mount(element.querySelector(".explorer"), boot, trigger));
            """,
            apply_default_css=False,
            **named,
        )

    def postprocess(self, value):
        return value


class Channel(gr.HTML):
    """An invisible way for answers from Python to the page, which hears them under this name.

    One channel carries one kind of message: of two that come within the same moment, only the last is seen.
    """

    def __init__(self, name: str):
        super().__init__(
            value="",
            visible="hidden",
            html_template="<i></i>",
            js_on_load=_HEARING % json.dumps(name),
        )

    def postprocess(self, value):
        return value
