"""What goes wrong with GPUs and what drives them, known by the words of the libraries that say so."""

from __future__ import annotations

from dataclasses import dataclass

FEWER, FULL, PLAIN, LOOSE = "fewer", "full", "plain", "loose"
ANOTHER, CPU, ONE, AGAIN = "another", "cpu", "one", "again"


@dataclass(frozen=True)
class Fault:
    """words: any of them tells it. reason: device: the GPU or its driver; lost: a process of several; memory; settings;
    unexpected. sentence: what it is, and what to do. remedies: of those named above, the likeliest first."""

    words: tuple[str, ...]
    reason: str
    sentence: str
    remedies: tuple[str, ...] = ()


FAULTS = (
    Fault(
        (
            *("unable to find an engine", "No execution plans support the graph", "No valid engine configs"),
            "No valid execution plans",
        ),
        "memory",
        "cuDNN has no engine for a convolution of this network: mostly too little memory is left on the GPU for one, "
        "else the GPU cannot do it in this precision; take fewer images at once, or full precision",
        (FEWER, FULL),
    ),
    Fault(
        ("valid cuDNN algorithm",),
        "memory",
        "cuDNN has found no algorithm for a convolution of this network: mostly too little memory is left on the GPU "
        "for one; take fewer images at once, or full precision",
        (FEWER, FULL),
    ),
    Fault(
        ("CUBLAS_STATUS_NOT_INITIALIZED", "CUDNN_STATUS_NOT_INITIALIZED", "cusolver error: CUSOLVER_STATUS_NOT_INIT"),
        "memory",
        "cuBLAS or cuDNN cannot begin on the GPU: mostly its memory is full by then, of this run or of other programs; "
        "take fewer images at once, or another GPU",
        (FEWER, ANOTHER),
    ),
    Fault(
        (
            *("no kernel image is available", "kernel image is invalid", "invalid device function", "invalid PTX"),
            *("_ARCH_MISMATCH", "not defined for option 'gpu-name'"),
        ),
        "device",
        "this PyTorch has no code for this GPU, which is too old for it, or too new: install a PyTorch that was built "
        "for it (pytorch.org), or use another GPU or the CPU",
        (ANOTHER, CPU),
    ),
    Fault(
        ("busy or unavailable",),
        "device",
        "the GPU is busy or cannot be used: another program has it for itself (nvidia-smi tells which), or it hangs; "
        "wait for it, or use another GPU",
        (AGAIN, ANOTHER),
    ),
    Fault(
        ("uncorrectable ECC", "uncorrectable NVLink", "ardware stack error", "contained fault"),
        "device",
        "the GPU is broken, or its memory (ECC): nothing that it has computed lately can be relied upon; use another "
        "GPU, and have this one reset or mended by whoever looks after the machine",
        (ANOTHER, CPU),
    ),
    Fault(
        (
            *("GPU is lost", "fallen off the bus", "no CUDA-capable device is detected", "system not yet initialized"),
            *("No CUDA GPUs are available", "invalid device ordinal", "CUDA unknown error"),
            *("CUDA error: unknown error", "CUDA driver error: unknown error", "CUDA error: initialization error"),
        ),
        "device",
        "the GPU is not there any more, or not yet: see whether nvidia-smi finds it, and start the machine anew if not",
        (AGAIN, ANOTHER, CPU),
    ),
    Fault(
        (
            *("driver on your system is too old", "driver version is insufficient", "Found no NVIDIA driver"),
            *("driver initialization failed", "unsupported display driver", "forward compatibility was attempted"),
            *("driver mismatch", "library version mismatch", "unsupported toolchain", "in the installed CUDA driver"),
        ),
        "device",
        "the driver of the GPU is too old for this PyTorch, or does not run: have it updated, or install a PyTorch for "
        "it (pytorch.org), or use the CPU",
        (CPU,),
    ),
    Fault(
        ("Torch not compiled with CUDA", "is not linked with support for", "deserialize object on a CUDA device"),
        "device",
        "this PyTorch was built without CUDA: install one with it (pytorch.org), or use the CPU",
        (CPU,),
    ),
    Fault(
        (
            *("cuDNN version incompatibility", "CUDNN_STATUS_SUBLIBRARY", "CUDNN_STATUS_VERSION_MISMATCH"),
            *("PREREQUISITE_MISSING", "Could not load library lib", "Could not load symbol"),
            *("cannot open shared object file", "named symbol not found"),
        ),
        "device",
        "the libraries with which PyTorch drives the GPU (cuDNN, cuBLAS) are not whole, or not of one version: install "
        "PyTorch anew into an environment of its own, and leave LD_LIBRARY_PATH empty; or use the CPU",
        (CPU,),
    ),
    Fault(
        (
            *("CUDNN_STATUS_EXECUTION_FAILED", "CUDNN_STATUS_INTERNAL_ERROR", "CUDNN_STATUS_NOT_SUPPORTED"),
            *("CUDNN_STATUS_MAPPING_ERROR", "CUBLAS_STATUS_", "CUFFT_", "CUSOLVER_STATUS_", "CUSPARSE_STATUS_"),
        ),
        "device",
        "a library of the GPU (cuDNN, cuBLAS) has failed at its work: mostly too little memory is left for it, else it "
        "cannot do that in this precision; take fewer images at once, or full precision",
        (FEWER, FULL, ANOTHER),
    ),
    Fault(
        ("implemented for the MPS device", "MPS framework doesn't support", "MPSNDArray", "MPSGraph"),
        "device",
        "Apple's GPU (MPS) cannot do something that this needs: use the CPU, or let PyTorch do that part there "
        "(PYTORCH_ENABLE_MPS_FALLBACK=1)",
        (CPU,),
    ),
    Fault(
        ("does not have a deterministic implementation", "Deterministic behavior was enabled"),
        "settings",
        "something of this network has no form on the GPU that is the same bit for bit each time: train without "
        "`deterministic`, or on the CPU",
        (LOOSE, CPU),
    ),
    Fault(
        ("launch timed out and was terminated",),
        "device",
        "the GPU also draws a screen, whose driver ends what takes it long: take fewer images at once, or another GPU",
        (FEWER, ANOTHER),
    ),
    Fault(
        ("device-side assert",),
        "unexpected",
        "the GPU has met a number that cannot be, such as a class that the network does not know; "
        "CUDA_LAUNCH_BLOCKING=1 makes the log say where",
        (AGAIN, CPU),
    ),
    Fault(
        (
            *("collective operation timeout", "milliseconds before timing out", "Timed out waiting"),
            *("wait timeout after", "client socket has timed out", "Socket Timeout", "heartbeat timeout"),
            *("clients joined", "have failed or timed out"),
        ),
        "lost",
        "its processes have waited for each other for too long: one of them hangs, or has been ended; if it comes "
        "again, NCCL_DEBUG=INFO makes the log say more",
        (AGAIN, ONE),
    ),
    Fault(
        ("Duplicate GPU detected",),
        "settings",
        "two of its processes have been given the same GPU: give each its own, with CUDA_VISIBLE_DEVICES",
        (ONE,),
    ),
    Fault(
        (
            *("remote process exited", "ncclRemoteError", "communicator was aborted", "Broken pipe"),
            *("onnection closed by peer", "onnection reset by peer"),
        ),
        "lost",
        "one of its processes was lost",
        (),
    ),
    Fault(
        ("failed to listen", "Address already in use", "EADDRINUSE"),
        "settings",
        "the port at which its processes meet is taken by another program: start it again; torchrun takes a free one "
        "with --standalone",
        (AGAIN, ONE),
    ),
    Fault(
        ("have NCCL built in", "only supported with GPUs"),
        "settings",
        "this PyTorch has no NCCL, through which GPUs talk to each other (it is for Linux alone), or sees no GPU: "
        "train on one GPU",
        (ONE, CPU),
    ),
    Fault(
        ("unhandled cuda error", "unhandled system error", "NCCL error", "ncclInternalError", "ncclSystemError"),
        "lost",
        "its GPUs cannot talk to each other (NCCL): NCCL_DEBUG=INFO makes the log say why, and NCCL_P2P_DISABLE=1 or "
        "more room in /dev/shm often helps; on one GPU it trains without",
        (AGAIN, ONE),
    ),
    Fault(
        (
            *("No working C++ compiler", "working triton installation", "BackendCompilerFailed", "InductorError"),
            *("nvrtc:", "supported by the triton", "Triton Error", "out of resource: shared memory", "ptxas fatal"),
            *("torch.compile is not supported", "supported for torch.compile", "Dynamo is not supported"),
        ),
        "settings",
        "the network cannot be compiled here (torch.compile): that wants a C++ compiler, and on a GPU Triton; train "
        "without it",
        (PLAIN,),
    ),
)


def fault(text: str) -> Fault | None:
    """The fault that a message tells of; None: of none that is known."""
    return next((known for known in FAULTS if any(words in text for words in known.words)), None)
