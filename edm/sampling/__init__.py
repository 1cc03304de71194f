"""Sampling: its settings, what they mean for a denoiser (`path`), and the loop (`loop`)."""
