"""The live component: one element whose scripts draw what Python sends, in place.

Python sends strings of JSON with arrays in base64, and the page's scripts (assets/page) paint them on
canvases: nothing is re-mounted, zoom and focus stay, memory stays flat. The page sends events back.
"""

from __future__ import annotations

import json

import gradio as gr


class Live(gr.HTML):
    """The element that a script of assets/page fills. It sends `events`; `boot` is what it knows from the start.

    `boot` is written into the script and not passed as a prop, since Gradio compares all props at each message.
    Never answer an event with gr.skip(): Gradio would build the component anew. A generator that ends without
    a value leaves it as it is.
    """

    def __init__(self, script: str, boot: dict, events: tuple[str, ...], **named):
        senders = ", ".join(f"{event}: (data) => trigger('{event}', data)" for event in events)
        super().__init__(
            value="",
            html_template='<div class="explorer"></div>',
            js_on_load=f"""
            // what Python says before the script is here must not be lost
            const early = [];
            let take = (message) => early.push(message);
            const hear = () => props.value && take(JSON.parse(props.value));
            watch('value', hear);
            hear();
            const boot = {json.dumps(boot)};
            import(new URL("explorer/{script}", document.baseURI)).then((page) =>
                page.mount(element.querySelector(".explorer"), boot, {{
                    {senders},
                    onMessage: (listener) => {{
                        take = listener;
                        early.forEach(listener);
                    }},
                }}));
            """,
            apply_default_css=False,
            **named,
        )

    def postprocess(self, value):
        return value


class Channel(gr.HTML):
    """An invisible way for messages from Python to the page: each becomes a DOM event of this name.

    One channel carries one kind of message: of two that come within the same moment, only the last is seen.
    """

    def __init__(self, name: str):
        super().__init__(
            value="",
            visible="hidden",
            html_template="<i></i>",
            js_on_load=f"""
            watch('value', () => props.value &&
                window.dispatchEvent(new CustomEvent("{name}", {{ detail: JSON.parse(props.value) }})));
            """,
        )

    def postprocess(self, value):
        return value
