"""What goes wrong with GPUs has a sentence, and something to do about it, by the words of the libraries that say so."""

import pytest
import torch

from edm import runs
from edm.__main__ import failed
from edm.base.faults import FAULTS, fault
from edm.runs import failures
from edm.training import loop, validation
from edm.training.loop import train
from tests.edm.runs import points
from tests.edm.runs.test_failures import begun, work

NCCL = (
    "[Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, NumelIn=46611, "
    "NumelOut=46611, Timeout(ms)=600000) ran for 600060 milliseconds before timing out."
)
TELLS_MORE = (
    "CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be "
    "incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1."
)
MESSAGES = [  # as torch, cuDNN, NCCL and gloo write them, and what is told and offered
    (
        "GET was unable to find an engine to execute this computation",
        "memory",
        "has no engine",
        "micro_batch precision",
    ),
    (
        "FIND was unable to find an engine to execute this computation",
        "memory",
        "has no engine",
        "micro_batch precision",
    ),
    (
        "cuDNN Frontend error: [cudnn_frontend] Error: No execution plans support the graph.",
        "memory",
        "no engine",
        "micro",
    ),
    ("Unable to find a valid cuDNN algorithm to run convolution", "memory", "no algorithm", "micro_batch precision"),
    (
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "memory",
        "cannot begin",
        "micro",
    ),
    (
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "memory",
        "fit into memory",
        "micro",
    ),
    ("CUDA error: no kernel image is available for execution on the device", "device", "too old", "device"),
    ("CUDA error: CUDA-capable device(s) is/are busy or unavailable", "device", "another program", "device"),
    ("CUDA error: all CUDA-capable devices are busy or unavailable", "device", "nvidia-smi", "device"),
    ("CUDA error: uncorrectable ECC error encountered", "device", "broken", "device"),
    ("CUDA error: no CUDA-capable device is detected", "device", "not there any more", "device"),
    ("The NVIDIA driver on your system is too old (found version 11040). Please update", "device", "driver", "device"),
    ("CUDA driver version is insufficient for CUDA runtime version", "device", "driver", "device"),
    ("CUDA driver initialization failed, you might not have a CUDA gpu.", "device", "does not run", "device"),
    ("Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU", "device", "driver", "device"),
    ("Torch not compiled with CUDA enabled", "device", "built without CUDA", "device"),
    ("CUDA error: the launch timed out and was terminated", "device", "draws a screen", "micro_batch device"),
    ("CUDA error: device-side assert triggered", "unexpected", "CUDA_LAUNCH_BLOCKING=1", "device"),
    (NCCL, "lost", "waited for each other for too long", "device"),
    (
        "[../third_party/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 1800000ms for recv",
        "lost",
        "too long",
        "",
    ),
    ("wait timeout after 600000ms, keys: /default_pg/0//store_based_barrier_key:1", "lost", "too long", "device"),
    (
        "NCCL error in: ../NCCLUtils.hpp:275, unhandled system error (run with NCCL_DEBUG=INFO)",
        "lost",
        "NCCL_P2P",
        "device",
    ),
    (
        "NCCL error: ncclRemoteError: A call failed possibly due to a network error or a remote process exited",
        "lost",
        "was lost",
        "",
    ),
    ("NCCL communicator was aborted on rank 1.", "lost", "processes was lost", ""),
    ("Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 1000", "settings", "the same GPU", "device"),
    (
        "backend='inductor' raised: RuntimeError: Cannot find a working triton installation.",
        "settings",
        "compile",
        "compile",
    ),
    ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", "memory", "fit into memory", "micro_batch"),
    ("Invalid buffer size: 24.00 GB", "memory", "fit into memory", "micro_batch"),
    ("MPS backend out of memory (MPS allocated: 17.95 GB)", "memory", "fit into memory", "micro_batch"),
    ("cuDNN Frontend error: [cudnn_frontend] Error: No valid execution plans built.", "memory", "no engine", "micro"),
    ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "device", "failed at its work", "micro_batch precision device"),
    ("CUDA error: CUBLAS_STATUS_INTERNAL_ERROR when calling `cublasGemmEx`", "device", "failed at its work", "micro"),
    ("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH", "device", "too old", "device"),
    ("CUDA error: device kernel image is invalid", "device", "too old", "device"),
    ("cuDNN version incompatibility: PyTorch was compiled against (9, 1, 0)", "device", "not of one version", "device"),
    ("Could not load library libcudnn_ops_infer.so.8.", "device", "LD_LIBRARY_PATH", "device"),
    ("No CUDA GPUs are available", "device", "nvidia-smi finds it", "device"),
    ("CUDA error: invalid device ordinal", "device", "not there any more", "device"),
    ("CUDA error: the provided PTX was compiled with an unsupported toolchain.", "device", "driver", "device"),
    ("CUDA error: system driver mismatch", "device", "driver", "device"),
    ("PyTorch is not linked with support for cuda devices", "device", "built without CUDA", "device"),
    ("The operator 'aten::_linalg_svd' is not currently implemented for the MPS device.", "device", "Apple", "device"),
    ("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64", "device", "MPS", ""),
    (
        "reflection_pad2d_backward_cuda does not have a deterministic implementation",
        "settings",
        "`deterministic`",
        "deterministic",
    ),
    ("Socket Timeout", "lost", "too long", "device"),
    ("Timed out after 1801 seconds waiting for clients. 1/2 clients joined.", "lost", "too long", "device"),
    ("The server socket has failed to listen on any local network address.", "settings", "the port", "device"),
    ("Distributed package doesn't have NCCL built in", "settings", "no NCCL", "device"),
    ("Found Tesla which is too old to be supported by the triton GPU compiler", "settings", "compiled", "compile"),
]


@pytest.mark.parametrize(("message", "reason", "words", "offered"), MESSAGES, ids=lambda value: str(value)[:40])
def test_a_fault_of_the_machine_is_told_by_name_with_something_to_do(tmp_path, message, reason, words, offered):
    settings = points(precision="bf16", micro_batch=32, compile=True)
    kind = AssertionError if "compiled with" in message else RuntimeError
    for checkpoint in (None, tmp_path / "a.safetensors"):
        found = failures.explain(kind(f"{message}\n{TELLS_MORE}"), settings, 64, checkpoint)
        assert (found.reason, "\n" in found.sentence) == (reason, False)
        assert words in found.sentence and message[:20] in found.sentence, "in our words, and in theirs"
        changed = " ".join(name for _, changes in found.remedies for name in changes)
        assert all(name in changed for name in offered.split()), found.remedies
        for title, changes in found.remedies:
            assert title[0].isupper()
            settings.changed(**{name: value for name, value in changes.items() if name != "device"})
    assert failures.explain(kind(message)).reason == reason, "without settings, too"


def test_every_fault_is_among_those_that_are_tried():
    told = [fault(message) for message, *_ in MESSAGES]
    assert [known.sentence for known in FAULTS if known not in told] == []
    assert len({known.sentence for known in FAULTS}) == len(FAULTS)
    assert fault("CUDA error: an illegal memory access was encountered") is None


def test_a_terminal_is_told_the_same(capsys, monkeypatch):
    monkeypatch.delenv("EDM_TRACEBACK", raising=False)
    assert failed("python -m edm sample", RuntimeError("CUDA error: uncorrectable ECC error encountered")) == 2
    said = capsys.readouterr().err
    assert said.startswith("python -m edm sample: the GPU is broken") and "Traceback" not in said
    monkeypatch.setenv("EDM_TRACEBACK", "1")
    assert failed("python -m edm train", RuntimeError("CUDA error: device-side assert triggered")) == 2
    assert "RuntimeError" in capsys.readouterr().err, "where somebody wants to see it, it is there"


def out_of_memory(*_, **__):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB")


PLACES = [
    (validation, "sample", "fewer samples at each tick", {"samples": "4"}),
    (validation, "per_sigma", "fewer images", {"validation": "8"}),
    (loop, "RunState", "however few images", {"device": "auto"}),
    (torch.Tensor, "backward", "micro_batch", {"micro_batch": "32"}),
]


@pytest.mark.parametrize(("place", "name", "words", "changes"), PLACES, ids=[name for _, name, *_ in PLACES])
def test_what_to_change_depends_on_what_did_not_fit(tmp_path, monkeypatch, place, name, words, changes):
    path = runs.start(points(), tmp_path / "runs", "cpu", "a")
    begun(path)
    monkeypatch.setattr(place, name, out_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        work(path, points(), number=1)
    found = runs.read(path)
    assert found.reason == "memory" and words in found.sentence
    assert [dict(change) for _, change in found.remedies] == [changes]
    assert ("micro_batch" in found.sentence) == ("micro_batch" in changes)


def test_the_last_remedy_for_a_step_is_to_compute_it_twice():
    error = RuntimeError("CUDA out of memory.")
    assert failures.explain(error, points(micro_batch=1), 64).remedies[0][1] == {"checkpointing": "true"}
    assert failures.explain(error, points(micro_batch=1, checkpointing=True), 64).remedies == ()


def test_an_error_says_what_was_under_way_and_stays_what_it_is():
    with pytest.raises(torch.OutOfMemoryError) as caught, loop.during("a test"):
        out_of_memory()
    assert caught.value.__notes__ == ["a test"]
    assert next(train(points())).parameters > 0
