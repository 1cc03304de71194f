from app.tabs import instruments, sampler

__all__ = ["instruments", "sampler"]
