"""What tests of a run share: one Ray for the session, and one way to run a search."""

import signal
import subprocess
from pathlib import Path

import pytest


# A shell has what it starts in the background ignore Ctrl-C, and `nohup` what a closed terminal
# says. What a process ignores, those that it starts ignore too; in tests they are to be told.
for _number, _handler in {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGHUP: signal.SIG_DFL,
}.items():
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)

TRAINERS = Path(__file__).parent / "trainers"


class SilentView:
    """A live view that shows nothing but what a person should know at once."""

    def changed(self, event, trial):
        pass

    def refresh(self, elapsed_s):
        pass

    def confirms(self, so_far):
        pass

    def notice(self, text):
        print(text)  # noqa: T201 - why a run stands still, if the time limit ends the test


@pytest.fixture
def silent_view():
    """A view for a run that nobody watches."""
    return SilentView()


@pytest.fixture(scope="session")
def local_ray():
    """A local Ray with two CPUs, started once: a start costs seconds."""
    import logging
    import os

    import ray

    from hpo_app.tuning import session

    os.environ.update(session.SETTINGS)
    # Without address="local" a cluster that runs on the same machine would be joined.
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.CRITICAL,
    )
    yield
    ray.shutdown()


@pytest.fixture
def search(local_ray, tmp_path, monkeypatch):
    """Run a search from overrides and return its study."""
    from hpo_app.config.compose import compose_config
    from hpo_app.config.parse import parse_plan
    from hpo_app.study.earlier import read_earlier
    from hpo_app.tuning.runner import run_search

    monkeypatch.syspath_prepend(str(TRAINERS))
    count = iter(range(1000))

    def run(*overrides):
        folder = tmp_path / f"run-{next(count)}"
        folder.mkdir()
        plan = parse_plan(*compose_config(["search_space=quadratic", *overrides]))
        return run_search(plan, folder, SilentView(), {}, earlier=read_earlier(plan))

    return run


@pytest.fixture
def faulty_search(search):
    """Run a search over a training function of tests/trainers/faulty.py."""

    def run(function, *overrides):
        trainer = f"model.trainer=faulty:{function}"
        return search(trainer, "trusted_modules=[faulty]", "training.iterations=4", *overrides)

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let `-m "not slow"` leave out what is marked soak too."""
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of a few bytes; only root may."""

    def mount(size, *options, name="disk"):
        place = tmp_path / name
        place.mkdir()
        settings = ",".join([f"size={size}", *options])
        command = ["mount", "-t", "tmpfs", "-o", settings, "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("needs root, to mount a small file system")
        mounted.append(place)
        return place

    mounted = []
    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)
