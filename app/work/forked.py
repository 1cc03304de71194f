"""Loaded by the process that others are forked from: it has nothing to tidy up, so it need not take PyTorch apart, which
takes seconds, when the server is gone."""

import atexit
import os

atexit.register(os._exit, 0)  # which processes that are forked from it do not come to
