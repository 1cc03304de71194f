"""What a process gives to those that it starts, as far as a run depends on it: variables, folder, rights of new files.

A run is asked for in one process and started by another, perhaps of another person, who is shown other GPUs. It has the
surroundings of whoever asked for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

# Of libraries that compute, and our own folder of runs. Never all: variables hold passwords, and anyone may read a run.
_KEPT = ("CUDA_", "CUBLAS_", "HIP_", "ROCR_", "NCCL_", "GLOO_", "TORCH_", "PYTORCH_", "OMP_", "MKL_", "EDM_RUNS")
_ADDED = (  # by torchrun, to those that it starts
    *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "GROUP_WORLD_SIZE", "ROLE_NAME"),
    *("ROLE_RANK", "ROLE_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
)
_SECRET = ("PASSWORD", "SECRET", "TOKEN", "KEY")


def ours() -> dict:
    """Those of this process, as a document. umask: None where it cannot be told."""
    return {"environment": kept(os.environ), "cwd": os.getcwd(), "umask": _umask()}


def kept(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables on which a run depends."""
    return {name: value for name, value in variables.items() if name.startswith(_KEPT) and not _is_secret(name)}


def inherited(variables: Mapping[str, str], asked: object) -> dict[str, str]:
    """Variables for a process that is started in place of another one. asked: what `kept` said there; anything else, as
    of older requests: what is kept is ours. Without passwords, as the system shows a process's variables to others."""
    foreign = isinstance(asked, dict)
    own = {
        name: value
        for name, value in variables.items()
        if not (name in _ADDED or name.startswith("TORCHELASTIC_") or "PASSWORD" in name.upper())
        and not (foreign and name.startswith(_KEPT))
    }
    return own | ({name: str(value) for name, value in kept(asked).items()} if foreign else {})


def _is_secret(name) -> bool:
    return any(word in name.upper() for word in _SECRET)


def _umask() -> int | None:
    """Asking the system for it would set it, for all threads; Linux writes it down."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next((int(line.split()[1], 8) for line in lines if line.startswith("Umask:")), None)
    except (OSError, ValueError, IndexError):
        return None
