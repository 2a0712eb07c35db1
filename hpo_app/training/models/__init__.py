"""The built-in training functions: one file each, named by the config group `model`."""
