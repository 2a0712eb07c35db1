"""The Python API, one way of use per function: `python scripts/hpo_example.py [NAME …]`.

All examples search over a small objective that trains in no time, so that each takes seconds, the
start of Ray included. Without names, all are run in order.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hpo_app import ConfigLoader, HPOptimizer, HPOVisualizer, TrainingEngine


# Nested as one's own configs are; what stands here is the configuration of trial 0.
MODEL = {
    "hyperparameters": {"learning_rate": 0.01, "momentum": 0.9},
    "model": {"layers": {"hidden_units": 64}},
}
SPACE = {
    "learning_rate": {"type": "loguniform", "low": 1e-4, "high": 1.0},
    "hidden_units": {"type": "choice", "values": [16, 32, 64, 128]},
}


def train(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Any
) -> None:
    """Train as an own training function does: plain dicts come in, a report goes out per epoch."""
    rate = model["hyperparameters"]["learning_rate"]
    width = model["model"]["layers"]["hidden_units"]
    for epoch in range(training["epochs"]):
        error = abs(rate - 0.1) + abs(width - data["best_width"]) / 128
        trial.report({"loss": error + 1 / (epoch + 1)})


def optimizer() -> HPOptimizer:
    """Return an optimizer over `train`, on two CPUs of this machine."""
    return HPOptimizer(training_engine=TrainingEngine(train), ray_config={"num_cpus": 2})


TASK: dict[str, Any] = {
    "model_config": MODEL,
    "data_config": {"best_width": 32},
    "training_config": {"epochs": 9},
    "metric": "loss",
    "mode": "min",
}


def basic_search() -> None:
    """Search at random; every trial trains to its end."""
    results = optimizer().optimize(**TASK, param_space=SPACE, num_trials=8, search_alg="random")
    print(results.best_params, results.best_value)


def optuna_with_asha() -> None:
    """Let Optuna propose and ASHA stop early what is behind."""
    results = optimizer().optimize(
        **TASK,
        param_space=SPACE,
        num_trials=12,
        search_alg={"name": "optuna", "n_startup_trials": 5},
        scheduler={"name": "asha", "grace_period": 2},
        resources_per_trial={"cpu": 1},
    )
    print(results.to_dataframe()[["number", "state", "value", "iterations"]])


def preset() -> None:
    """Take a search space and a preset by name, over one of our own models."""
    config = ConfigLoader().load_config()
    results = HPOptimizer().optimize(
        "quadratic",
        param_space=config["search_spaces"]["quadratic"],
        **config["experiments"]["quick_test"],
    )
    print(results)


def parameter_mapping() -> None:
    """Name parameters as you like, and say where their values land."""
    hpo = optimizer()
    hpo.optimize(
        **TASK,
        param_space={
            "lr": {"type": "loguniform", "low": 1e-4, "high": 1.0},
            "hidden": {"type": "choice", "values": [16, 32, 64, 128]},
        },
        param_mapping={
            "lr": "hyperparameters.learning_rate",
            "hidden": "model.layers.hidden_units",
        },
        num_trials=6,
    )
    print(hpo.get_best_model_config(MODEL))


def earlier_run() -> None:
    """Load what any run left behind, also one of the command line, and look at it."""
    hpo = optimizer()
    folder = hpo.optimize(**TASK, param_space=SPACE, num_trials=10).run_folder
    results = HPOptimizer().load_results(folder)
    analysis = hpo.analyze_results(results)
    print(analysis["headline"])
    for trial in analysis["top_k_trials"]:
        print(trial["number"], trial["score"], trial["params"])
    longer = hpo.resume(folder, num_trials=12)
    print(len(longer), "trials")


def report() -> None:
    """Draw figures, and write a report that opens offline."""
    hpo = optimizer()
    results = hpo.optimize(**TASK, param_space=SPACE, num_trials=12)
    analysis, draw = hpo.analyze_results(results), HPOVisualizer()
    folder = Path("outputs", "example_report")
    draw.plot_optimization_history(results, folder / "history.png")
    draw.plot_parameter_importance(analysis, folder / "importance.png")
    draw.plot_parallel_coordinates(results, folder / "parallel.png")
    draw.plot_parameter_distributions(results, folder / "distributions.png")
    draw.plot_metric_vs_parameter(results, "learning_rate", folder / "learning_rate.png")
    draw.create_summary_report(results, analysis, output_dir=folder)
    print("open", folder / "report" / "index.html")


def without_a_search() -> None:
    """Train one configuration, here and now, without Ray."""
    reports = TrainingEngine(train).fit(
        MODEL, {"best_width": 32}, {"epochs": 3}, metric="loss", seed=1
    )
    print(reports[-1])


EXAMPLES = {
    function.__name__: function
    for function in (
        basic_search,
        optuna_with_asha,
        preset,
        parameter_mapping,
        earlier_run,
        report,
        without_a_search,
    )
}


def main(names: list[str]) -> int:
    """Run examples by name, and return the exit code."""
    unknown = [name for name in names if name not in EXAMPLES]
    if unknown:
        print(f"no example {unknown[0]}; there are {', '.join(EXAMPLES)}", file=sys.stderr)
        return 2
    for name in names or EXAMPLES:
        print(f"== {name}: {EXAMPLES[name].__doc__}", flush=True)
        EXAMPLES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
