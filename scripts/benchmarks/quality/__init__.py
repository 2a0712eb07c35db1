"""The search-quality benchmark: tasks, simulated workers, tuners and scores."""
