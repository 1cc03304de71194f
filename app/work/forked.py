"""Loaded by the process that others are forked from: it has nothing to tidy up when the server is gone, and need not
take PyTorch apart, which takes seconds."""

import atexit
import os

atexit.register(os._exit, 0)  # which processes that are forked from it do not come to
