"""The room where Optuna's samplers are spoken to."""
