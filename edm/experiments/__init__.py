"""What is sampled, by name, and how: models, experiments, presets, and the documents they are read from."""
