"""The page: its tabs, and what they share."""

from __future__ import annotations

import threading

import gradio as gr

from app.tabs import sampler
from app.work import Work
from edm import data

MAX_JOBS = 1000


def build(device) -> gr.Blocks:
    """The whole page. `device`: where the sampling runs."""
    with gr.Blocks(title="EDM Explorer", analytics_enabled=False, fill_width=True, fill_height=True) as blocks:
        sampler.build(blocks, Work(device))
    # Each visitor's open stream counts as a running job, and Gradio would run no more than 40 in all.
    blocks.max_threads = MAX_JOBS
    blocks.queue()
    # scikit-learn takes a second to import: have the digits ready before somebody asks for them
    threading.Thread(target=lambda: data.load("digits").denoiser, daemon=True).start()
    return blocks
