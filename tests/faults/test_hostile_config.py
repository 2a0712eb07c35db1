"""A config that wants to run code is refused: in the driver, in a thread and in a worker."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hpo_app.config.build import build, load_function
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import HpoError, PlanError
from hpo_app.plan.run_plan import Component


SAMPLER = "optuna.samplers.RandomSampler"
SCHEDULER = "ray.tune.schedulers.AsyncHyperBandScheduler"
# What touches the file `marker` where it is instantiated.
TOUCH = {
    "_target_": "pathlib.Path.touch",
    "_args_": [{"_target_": "pathlib.Path", "_args_": ["marker"]}],
}
SYSTEM = {"_target_": "os.system", "command": "touch marker"}
COMPONENTS = {
    "a system call": SYSTEM,
    "a method": TOUCH,
    "an alias in a library of ours": {
        "_target_": "optuna.logging.os.system",
        "command": "touch marker",
    },
    "an alias in our own package": {
        "_target_": "hpo_app.study.files.os.system",
        "command": "touch marker",
    },
    "a module of ours": {
        "_target_": "hpo_app.study.files.replace_file",
        "path": "marker",
        "content": "x",
    },
    "eval": {"_target_": "builtins.eval", "_args_": ["open('marker', 'w')"]},
    "a subprocess": {"_target_": "subprocess.Popen", "args": ["touch", "marker"]},
    "a pickle": {"_target_": "pandas.read_pickle", "filepath_or_buffer": "bomb.pkl"},
    "a call as argument": {"_target_": SAMPLER, "seed": SYSTEM},
    "a method as argument": {"_target_": SCHEDULER, "time_attr": TOUCH},
    "a call deep in an argument": {"_target_": SAMPLER, "seed": {"a": [{"b": SYSTEM}]}},
    "a partial as argument": {"_target_": SAMPLER, "seed": {**SYSTEM, "_partial_": True}},
    "a partial of a partial": {
        "_target_": SAMPLER,
        "seed": {"_target_": "functools.partial", "_args_": [SYSTEM], "_partial_": True},
    },
    "a whitelist of its own": {
        "_target_": SAMPLER,
        "seed": {**SYSTEM, "_execution_whitelist_": ["os.*"]},
    },
}


def attempt(component):
    """Build a component as any room would; return what is said of it."""
    target, arguments = (
        component["_target_"],
        {k: v for k, v in component.items() if k != "_target_"},
    )
    try:
        return f"built {build(Component(target, arguments), 'search_alg')}"
    except PlanError as error:
        return str(error)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=COMPONENTS)
def test_a_component_runs_nothing_in_the_driver_or_in_a_thread(here, component):
    with ThreadPoolExecutor(1) as threads:
        for said in (attempt(component), threads.submit(attempt, component).result()):
            assert said.startswith("1 problem in the config")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=COMPONENTS)
def test_a_component_is_refused_before_a_run_starts_or_when_it_is_built(here, component):
    from omegaconf import OmegaConf

    config, origin = compose_config(["search_space=quadratic"])
    OmegaConf.set_struct(config, value=False)
    config.search_alg = {**component, "model_based": False}
    with pytest.raises(PlanError):
        started(config, origin)
    assert list(here.iterdir()) == []


def started(config, origin):
    """Go as far as a run goes before its first trial."""
    plan = parse_plan(config, origin)
    build(plan.searcher.component, "search_alg", plan.trusted_modules)


@pytest.mark.ray
def test_nothing_runs_in_a_worker_either(local_ray, here):
    import ray

    @ray.remote
    def in_worker(folder, components):
        import os

        os.chdir(folder)
        said = [attempt(component) for component in components]
        try:
            load_function("os:system")
        except PlanError as error:
            said.append(str(error))
        return said

    said = ray.get(in_worker.remote(str(here), list(COMPONENTS.values())))
    assert len(said) == len(COMPONENTS) + 1
    assert all(text.startswith("1 problem in the config") for text in said)
    assert list(here.iterdir()) == []


@pytest.fixture
def trusted(here, monkeypatch):
    """A module that a person trusts, and that imported more than it wrote."""
    (here / "mine.py").write_text(
        textwrap.dedent("""
        import functools, os, shutil
        from os import system
        from optuna.samplers import GridSampler

        def train(model, data, training, trial): pass
        short = functools.partial(train, model=1)
        class Sampler:
            def __init__(self, **arguments): self.arguments = arguments
        """)
    )
    monkeypatch.syspath_prepend(str(here))
    yield ("mine",)
    sys.modules.pop("mine", None)


@pytest.mark.parametrize("path", ["mine:train", "mine:short"])
def test_trust_covers_what_a_module_wrote(trusted, path):
    assert callable(load_function(path, trusted))
    assert build(Component("mine.Sampler", {"a": 1}), "search_alg", trusted).arguments == {"a": 1}


def test_trust_does_not_cover_what_a_module_imported(trusted, here):
    with pytest.raises(PlanError, match="posix:system"):
        load_function("mine:system", trusted)
    copy = {"src": str(here / "mine.py"), "dst": "marker"}
    for target, arguments in (
        ("mine.os.system", {"command": "touch marker"}),
        ("mine.system", {"command": "touch marker"}),
        ("mine.shutil.copyfile", copy),
    ):
        with pytest.raises(PlanError):
            build(Component(target, arguments), "search_alg", trusted)
    assert not (here / "marker").exists()


HOSTILE_FILES = {
    "python tags": "a: !!python/object/apply:os.system ['touch marker']",
    "an object": "a: !!python/name:os.system",
    "aliases that multiply": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
    ),
    "an alias of itself": "a: &a [*a]",
    "no end of nesting": "a: " + "[" * 20_000,
    "a key twice": "num_trials: 1\nnum_trials: 2",
    "a call": "search_alg: {_target_: os.system, command: touch marker}",
    "a trainer": "model: {trainer: 'os:system'}",
    "a trainer with trust": "model: {trainer: 'os:system'}\ntrusted_modules: [os]",
    "an environment's module": "data: {env_id: 'this:Env-v0', trusted_modules: [this]}",
    "a module to look for": "model: {needs: {antigravity.x: none}}",
    "an interpolation without end": "num_trials: ${num_trials}",
    "the environment as a number": "num_trials: ${oc.env:HOME}",
    "code in an interpolation": "num_trials: ${oc.decode:'!!python/name:os.system'}",
}


@pytest.mark.parametrize("text", HOSTILE_FILES.values(), ids=HOSTILE_FILES)
@pytest.mark.timeout(20)
def test_a_hostile_preset_is_a_message_and_runs_nothing(here, text):
    (here / "conf" / "preset").mkdir(parents=True)
    (here / "conf" / "preset" / "theirs.yaml").write_text(f"# @package _global_\n{text}\n")
    command = ["--config-dir", "conf", "search_space=quadratic", "preset=theirs", "action=plan"]
    done = hpo(*command)
    assert done.returncode == 2, done.stderr
    assert "problem" in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 20_000
    assert not (here / "marker").exists()


@pytest.mark.parametrize(
    "override",
    [
        "+hydra.callbacks.x={_target_: os.system, command: touch marker}",
        "+hydra.callbacks.x={_target_: pathlib.Path.touch, self: marker}",
        "+hydra.callbacks.x={_target_: hpo_app.study.files.os.system, command: touch marker}",
        "hydra.job_logging.handlers.file.class=subprocess.Popen",
        "hydra.job_logging.handlers.file.class=os.system",
        "hydra.job_logging.formatters.plain={class: os.system}",
        "hydra.launcher._target_=os.system",
        "hydra.sweeper._target_=os.system",
    ],
)
def test_hydras_own_hooks_run_nothing(here, override):
    mode = ["-m"] if "launcher" in override or "sweeper" in override else []
    done = hpo("search_space=quadratic", "action=plan", override, *mode)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("1 problem in the config\n")
    assert not (here / "marker").exists()


def hpo(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "hpo_app", *arguments], capture_output=True, text=True, check=False
    )


def test_an_environment_of_a_module_needs_trust_that_was_typed(here, monkeypatch):
    from hpo_app.training.environments import checked_data

    (here / "theirs.py").write_text("open('marker', 'w').close()\n")
    monkeypatch.syspath_prepend(str(here))
    config, origin = compose_config(["search_space=ppo", "data.env_id='theirs:Env-v0'"])
    data = {**parse_plan(config, origin).template["data"], "trusted_modules": []}
    for env_id in ("theirs:Env-v0", "theirs:x:Env-v0", ":Env-v0", "the:Env-v0"):
        with pytest.raises(HpoError, match=r"module|environment"):
            checked_data({**data, "env_id": env_id})
    for claimed in (["theirs"], "theirs", ["${oc.env:HOME}"]):
        config, origin = compose_config(["search_space=ppo"])
        config.data.trusted_modules = claimed
        with pytest.raises(PlanError, match="trusted_modules"):
            parse_plan(config, origin)
    assert not (here / "marker").exists()
    assert "theirs" not in sys.modules


def test_no_way_around_the_whitelist_is_named_anywhere():
    package = Path(__file__).parents[2] / "hpo_app"
    texts = {path: path.read_text() for path in package.rglob("*.py")}
    words = (
        "UNSAFE_DISABLE",
        "pickle.load",
        "cloudpickle.load",
        "weights_only=False",
        "allow_pickle",
    )
    assert not [(path, word) for path, text in texts.items() for word in words if word in text]
