"""Several searches by one command: what Hydra's launchers and callbacks are told of ours."""
