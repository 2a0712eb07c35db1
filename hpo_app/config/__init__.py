"""The room where Hydra and OmegaConf are spoken to."""
