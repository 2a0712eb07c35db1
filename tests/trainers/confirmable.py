"""Training functions whose searches can be lucky."""

from hpo_app.study.fresh import is_fresh


def lucky(model, data, training, trial):
    """Trial 3 looks best in the search and nowhere else: what counts is depth, and it has none."""
    for _ in range(trial.iteration, training["iterations"]):
        is_lucky = trial.number == 3
        noise = (trial.seed % 1000) / 1e4
        trial.report({"loss": -1.0 if is_lucky else 10 - model["depth"] + noise})


def equal(model, data, training, trial):
    """Every configuration brings the same."""
    for _ in range(trial.iteration, training["iterations"]):
        trial.report({"loss": 1.0})


def fails_when_fresh(model, data, training, trial):
    """The best one of the search fails with every seed but that of the search."""
    for _ in range(trial.iteration, training["iterations"]):
        if is_fresh(trial.number) and model["depth"] == data["fragile"]:
            raise ValueError("not with this seed")
        trial.report({"loss": float(model["depth"])})
