"""Loaded by the process that others are forked from: it has nothing to tidy up when the server is gone, and need not
take PyTorch apart, which takes seconds. What it has loaded is there for good: those that are forked need not look
through it for garbage, which takes 0.2 s each time, and would copy the memory that they share."""

import atexit
import gc
import os

atexit.register(os._exit, 0)  # which processes that are forked from it do not come to
os.register_at_fork(before=gc.freeze)
