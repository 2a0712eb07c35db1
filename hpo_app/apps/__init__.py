"""A person's own Hydra app: started as Python starts it, composed for a trial, and called."""
