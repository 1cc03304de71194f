"""The commands of `python -m edm`, one a file: each has `add(commands)`, which says its options and what runs."""
