"""A training function that says when it trained, and on which card."""

import os
import time


def train(model, data, training, trial):
    began = time.time()
    # Workers start one after the other, and slowly where a machine is busy.
    place = trial.run_folder / "began"
    place.mkdir(exist_ok=True)
    (place / str(trial.number)).touch()
    while len(list(place.iterdir())) < model["at_once"] and time.time() < began + 60:
        time.sleep(0.02)
    time.sleep(1.0)
    # Ray hides all cards from a trial that holds none.
    card = float(os.environ.get("CUDA_VISIBLE_DEVICES") or -1)
    trial.report({"loss": model["x"], "began": began, "ended": time.time(), "card": card})
