"""hpo_app: hyperparameter search from config groups, one Ray Tune run at a time."""

__version__ = "0.1.0"
