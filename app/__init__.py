"""The page: a Gradio app over the library `edm`. Start it with `python -m app`."""
