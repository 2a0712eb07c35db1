"""Trackers are told what the journal holds, keep it, and however they fail, the run goes on."""

import os
import struct
import threading

import pytest
from ray.tune import Callback

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError
from hpo_app.signals import Signals
from hpo_app.study.records import TrialState
from hpo_app.tuning.trackers.tracker import Tracker
from hpo_app.tuning.trackers.tracking import make_trackers, tracking


class View:
    """A live view that remembers what it was told."""

    def __init__(self):
        self.notices = []
        self.events = []

    def changed(self, event, trial):
        self.events.append((event, trial.number))

    def refresh(self, elapsed_s):
        pass

    def notice(self, text):
        self.notices.append(text)


@pytest.fixture
def view():
    return View()


def plan_of(*overrides):
    return parse_plan(*compose_config(["search_space=quadratic", *overrides]))


@pytest.fixture
def track(tmp_path, make_trial, view):
    """Let the trackers of a plan hear of trials; each is started, reports and ends."""
    (tmp_path / "journal.jsonl").write_text("0123abcd {}\n")

    def run(overrides, *trials):
        plan, signals = plan_of(*overrides), Signals()
        with tracking(make_trackers(plan), plan, tmp_path, view, signals) as told:
            for number, values, state in trials:
                params = {"x": 0.5, "kind": "flat", "layers": [64, 64]}
                told.changed("started", make_trial(number, params=params))
                for count in range(1, len(values) + 1):
                    told.changed("reported", make_trial(number, values[:count], params=params))
                told.changed("ended", make_trial(number, values, params=params, state=state))
        assert not signals.has_stuck_threads
        return tmp_path

    return run


TWO = (
    (0, [3.0, 2.0], TrialState.FINISHED),
    (1, [4.0], TrialState.FAILED),
    (2, [5.0], TrialState.INTERRUPTED),
)
AGAIN = ((2, [5.0, 1.0], TrialState.FINISHED),)


def test_tensorboard_shows_the_curves_of_a_run_and_of_its_continuation(track, view):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    track(["tracker=tensorboard"], *TWO)
    folder = track(["tracker=tensorboard"], *AGAIN)

    def curve(number):
        events = reader.EventAccumulator(str(folder / "tensorboard" / str(number)))
        events.Reload()
        return [(event.step, event.value) for event in events.Scalars("ray/tune/loss")]

    assert curve(0) == [(1, 3.0), (2, 2.0)]
    assert curve(1) == [(1, 4.0)]
    assert dict(curve(2)) == {1: 5.0, 2: 1.0}  # What is told twice may be there twice.
    assert view.notices == []


@pytest.mark.filterwarnings("ignore")  # Of MLflow, for SQLAlchemy.
def test_mlflow_holds_params_metrics_and_states_and_goes_on_with_its_runs(
    track, view, monkeypatch, tmp_path
):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    # As a kill may leave it, which comes while MLflow makes its file.
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "unfinished.db").write_text("half a file")
    folder = track(["tracker=mlflow"], *TWO)
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name("hpo_app").experiment_id

    def runs():
        return {run.info.run_name: run for run in client.search_runs([experiment])}

    states = {name: run.info.status for name, run in runs().items()}
    assert states == {"trial 0": "FINISHED", "trial 1": "FAILED", "trial 2": "KILLED"}
    first = runs()["trial 0"]
    assert first.data.params == {"x": "0.5", "kind": "flat", "layers": "[64, 64]"}
    history = client.get_metric_history(first.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 3.0), (2, 2.0)]

    track(["tracker=mlflow"], *AGAIN)
    assert {name: run.info.status for name, run in runs().items()} == {
        **states,
        "trial 2": "FINISHED",
    }
    assert runs()["trial 2"].data.metrics == {"loss": 1.0}
    assert not [text for text in view.notices if not text.startswith("waiting")]


def test_wandb_offline_keeps_runs_in_the_run_folder_and_no_key(track, view, monkeypatch):
    pytest.importorskip("wandb")
    key = "0123456789abcdef" * 3
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_API_KEY", key)
    folder = track(["tracker=wandb"], *TWO)

    (file,) = folder.glob("wandb/*-0/*.wandb")
    records = dict(wandb_records(file))
    assert records["run"].project == "hpo_app"
    assert records["run"].run_group == folder.name
    last = {item.key or item.nested_key[0]: item.value_json for item in records["history"].item}
    assert (last["loss"], last["_step"]) == ("2", "2")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(list(folder.glob("wandb/offline-*/*.wandb"))) == 3
    assert not [path for path in files if key.encode() in path.read_bytes()]
    leading_out = [path for path in folder.rglob("*") if not is_inside(path, folder)]
    assert leading_out == []
    assert not [text for text in view.notices if not text.startswith("waiting")]


def is_inside(path, folder):
    return path.resolve().is_relative_to(folder.resolve())


def wandb_records(file):
    """Yield kind and content of each record: LevelDB's log format, behind seven bytes of W&B's."""
    from wandb.proto import wandb_internal_pb2

    data, place = file.read_bytes(), 7
    while place + 7 <= len(data):
        _, length, kind = struct.unpack_from("<IHB", data, place)
        assert kind == 1, "a record that does not fit one block"
        record = wandb_internal_pb2.Record.FromString(data[place + 7 : place + 7 + length])
        name = record.WhichOneof("record_type")
        yield name, getattr(record, name)
        place += 7 + length


def test_wandb_without_a_login_is_left_out_with_a_word(track, view, monkeypatch, tmp_path):
    pytest.importorskip("wandb")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    track(["tracker=wandb"], *TWO)
    (notice,) = view.notices
    assert "tracker wandb failed: no login; export WANDB_API_KEY" in notice
    assert "the run goes on" in notice


@pytest.mark.filterwarnings("ignore")  # Of MLflow.
def test_a_server_that_nobody_runs_is_named_once(track, view, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    track(["tracker=mlflow"], *TWO)
    (notice,) = view.notices
    assert notice.startswith("tracker mlflow failed: ")
    assert "127.0.0.1" in notice


class Refusing(Callback):
    """Refuses what it is told, or only some of it."""

    def __init__(self, hooks):
        self.hooks = hooks
        self.seen = []

    def setup(self, *_, **__):
        self._hear("setup")

    def on_trial_start(self, *_, **__):
        self._hear("on_trial_start")

    def on_trial_result(self, *_, **__):
        self._hear("on_trial_result")

    def _hear(self, hook):
        self.seen.append(hook)
        if hook in self.hooks:
            raise OSError(28, "No space left on device")


REPORT, START = ("on_trial_result", "on_trial_start")


@pytest.mark.parametrize(
    ("refused", "told", "seen"),
    [
        pytest.param(["setup"], ["setup", START], ["setup"], id="set up"),
        pytest.param([REPORT], [REPORT, START, REPORT, REPORT, START], 5, id="some reports"),
        pytest.param([REPORT], [REPORT, REPORT, REPORT, START], [REPORT] * 3, id="all reports"),
    ],
)
def test_a_failing_tracker_is_named_once_and_given_up_where_nothing_helps(refused, told, seen):
    callback, notices = Refusing(refused), []
    tracker = Tracker("mine", callback, notices.append)
    for hook in told:
        tracker.tell(hook)
    tracker.end()
    tracker.wait(Signals())
    assert callback.seen == (seen if isinstance(seen, list) else told)
    (notice,) = notices
    assert notice.startswith("tracker mine failed: [Errno 28] No space left on device (run.log")


def test_a_tracker_that_hangs_is_left_behind_soon_after_a_signal():
    class Hanging(Callback):
        def setup(self, *_, **__):
            released.wait()

    released, notices = threading.Event(), []
    signals = Signals()
    signals.note(15)
    tracker = Tracker("mine", Hanging(), notices.append)
    tracker.tell("setup")
    tracker.end()
    has_ended = tracker.wait(signals)
    released.set()
    assert not has_ended
    assert "tracker mine was not ready 3 s after signal SIGTERM" in notices[-1]


def test_parameters_that_change_are_told_with_each_report(track, monkeypatch):
    heard = []

    class Listening(Callback):
        def on_trial_result(self, *_, result, **__):
            heard.append(result)

    monkeypatch.setattr("ray.tune.logger.TBXLoggerCallback", Listening)
    track(["tracker=tensorboard", "scheduler=pbt"], (0, [3.0], TrialState.FINISHED))
    assert heard == [{"params/x": 0.5, "loss": 3.0, "training_iteration": 1}]


def test_several_trackers_are_one_plan_and_none_is_the_default():
    assert plan_of().trackers == {}
    both = plan_of("tracker=[tensorboard,none]").trackers
    assert {name: part.target for name, part in both.items()} == {
        "tensorboard": "ray.tune.logger.TBXLoggerCallback"
    }


@pytest.mark.parametrize(
    ("override", "said"),
    [
        pytest.param(
            "+tracker.tensorboard.needs.nowhere=pip install nowhere",
            ["nowhere is not installed", "which tracker=tensorboard needs", "install nowhere"],
            id="missing package",
        ),
        pytest.param("+tracker.x._target_=os.system", ["os.system", "trusted_modules"], id="os"),
        pytest.param("+tracker.x=tensorboard", ["set tracker=x"], id="no tracker"),
    ],
)
def test_a_tracker_that_cannot_work_is_refused_before_ray_starts(override, said):
    with pytest.raises(PlanError) as refused:
        plan_of("tracker=tensorboard", override)
    assert [text for text in said if text not in str(refused.value)] == []


def test_a_name_that_leads_out_of_the_run_folder_is_refused():
    config, origin = compose_config(["search_space=quadratic", "tracker=tensorboard"])
    config.tracker = {f"..{os.sep}x": config.tracker.tensorboard}
    with pytest.raises(PlanError, match="give it a plain name"):
        parse_plan(config, origin)


def test_what_a_tracker_does_not_take_is_refused(monkeypatch):
    plan = plan_of("tracker=tensorboard", "+tracker.tensorboard.colour=red")
    with pytest.raises(PlanError, match="colour"):
        make_trackers(plan)
    plan = plan_of("+tracker.x._target_=ray.tune.schedulers.FIFOScheduler")
    with pytest.raises(PlanError, match="which gives a FIFOScheduler"):
        make_trackers(plan)
