"""Training: settings, noise distributions and weights, augmentation, the loop, and checkpoints."""
