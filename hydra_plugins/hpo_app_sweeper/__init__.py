"""Hydra finds its plugins below this namespace; see `hpo_sweeper`."""
