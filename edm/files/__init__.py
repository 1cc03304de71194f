"""What lies on disk: checkpoints and models, pictures, the files of other programs, and what they are called."""
