"""What the Train tab reads of runs, and how its short form becomes the settings of one."""
