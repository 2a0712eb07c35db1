"""A config becomes a plan, or all that is wrong with it with what set it."""

import shlex
import sys

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import EXIT_CONFIG, PlanError
from hpo_app.plan.run_plan import Mode


QUADRATIC = "search_space=quadratic"


def problems_of(*overrides, config_dir=None):
    with pytest.raises(PlanError) as caught:
        parse_plan(*compose_config(overrides, config_dir))
    assert caught.value.exit_code == EXIT_CONFIG
    return {problem.key: problem for problem in caught.value.problems}


def test_a_plan_holds_what_was_asked_for():
    plan = parse_plan(
        *compose_config(["preset=standard", QUADRATIC, "resources.gpu=0.5", "time_budget_s=60"])
    )
    assert plan.objective.metric == "loss"
    assert plan.objective.mode is Mode.MIN
    assert plan.num_trials == 50
    assert plan.iterations == 27
    assert plan.resources.gpu == 0.5
    assert plan.time_budget_s == 60
    assert plan.searcher.is_model_based
    assert plan.scheduler.component.arguments["max_t"] == 27
    assert list(plan.space) == ["x", "rate", "depth", "kind"]


BAD = {
    "no trial": ("num_trials=0", "num_trials", "a whole number of at least 1"),
    "trials in words": ("num_trials=many", "num_trials", "a whole number of at least 1"),
    "trials as a flag": ("num_trials=true", "num_trials", "a whole number of at least 1"),
    "negative seed": ("seed=-1", "seed", "a whole number of at least 0"),
    "no time": ("time_budget_s=0", "time_budget_s", "a number above 0"),
    "no time for a trial": ("trial_timeout_s=0", "trial_timeout_s", "a number above 0"),
    "no silence": ("stall_timeout_s=-1", "stall_timeout_s", "a number above 0"),
    "no CPU": ("resources.cpu=0", "resources.cpu", "a number above 0"),
    "negative GPU": ("resources.gpu=-1", "resources.gpu", "a number of at least 0"),
    "no trial at once": (
        "resources.max_concurrent_trials=0",
        "resources.max_concurrent_trials",
        "a whole number of at least 1",
    ),
    "no iteration": (
        "training.iterations=0",
        "training.iterations",
        "a whole number of at least 1",
    ),
    "a seed that no sampler takes": (
        "seed=4294967296",
        "seed",
        "a whole number from 0 to 4294967295",
    ),
    "more trials than can be counted": (
        "num_trials=99999999999999999999",
        "num_trials",
        "a whole number from 1 to 1000000000",
    ),
    "more CPUs than a machine has": (
        "ray.num_cpus=100000000000",
        "ray.num_cpus",
        "a whole number from 1 to 100000",
    ),
    "a share finer than Ray's": (
        "resources.cpu=1e-9",
        "resources.cpu",
        "a number with at most four decimals, as Ray counts",
    ),
    "a share of many digits": (
        "resources.gpu=0.33333333",
        "resources.gpu",
        "a number with at most four decimals, as Ray counts",
    ),
    "a mode in a list": ("objective.mode=[max]", "objective.mode", "min or max"),
    "third mode": ("objective.mode=maximise", "objective.mode", "min or max"),
    "no metric": ("objective.metric=null", "objective.metric", "a name"),
    "dashboard in words": ("ray.dashboard=maybe", "ray.dashboard", "true or false"),
    "cluster through a client": (
        "ray.address=ray://head:10001",
        "ray.address",
        "HOST:PORT of a cluster that this machine is a node of, auto, or local",
    ),
    "modules not a list": ("trusted_modules=mine", "trusted_modules", "a list of names"),
    "low above high": ("search_space.x.low=9", "search_space.x.low", "at most high=5"),
    "metric in the searcher": (
        "+search_alg.metric=loss",
        "search_alg.metric",
        "metric in objective and nowhere else",
    ),
    "mode in the scheduler": (
        "+scheduler.mode=min",
        "scheduler.mode",
        "mode in objective and nowhere else",
    ),
    "unused parameter": (
        "+search_space.lr={type: uniform, low: 0, high: 1}",
        "search_space.lr",
        "${params.lr} somewhere in model, data or training",
    ),
    "key that only looks read": (
        "+search=optuna",
        "search",
        "a key of the top level: action, average_reports, baseline, best, checkpoints, confirm, "
        "constraints, data, max_failures, max_same_failures, model, num_trials, objective, "
        "objectives, output, params, plan, prior_trials, provenance, ray, repeat_duplicates, "
        "report, resources, run, scheduler, search_alg, search_space, seed, stall_timeout_s, stop, "
        "storage, time_budget_s, to, tracker, training, trial_timeout_s, trusted_modules and "
        "warm_start",
    ),
    "needs of a module inside a package": (
        "+model.needs={evil.sub: pip install evil}",
        "model.needs",
        "the name of a package, without what is inside it",
    ),
    "needs as a list": (
        "+model.needs=[torch]",
        "model.needs",
        "a mapping of package to the command that installs it",
    ),
    "trust beside the list": (
        "+data.trusted_modules=[evil]",
        "data.trusted_modules",
        "${trusted_modules} and nothing else",
    ),
    "trust beside the list, in the model": (
        "+model.trusted_modules=[evil]",
        "model.trusted_modules",
        "${trusted_modules} and nothing else",
    ),
    "driver and trial in one": (
        "model.noise=${now:%H}${params.x}",
        "model.noise",
        "an interpolation that can be resolved before the trials start",
    ),
    "infinite choice": (
        "search_space.kind.values=[inf, smooth]",
        "search_space.kind.values",
        "values that JSON holds: finite numbers, text other than ???, flags, null, and lists and "
        "mappings of these, whose keys are text",
    ),
    "interpolation to nowhere": (
        "model.noise=${no.such.key}",
        "model.noise",
        "an interpolation that can be resolved",
    ),
}


@pytest.mark.parametrize(("override", "key", "expected"), BAD.values(), ids=BAD)
def test_a_wrong_value_is_named_with_what_set_it(override, key, expected):
    problems = problems_of(QUADRATIC, override)
    assert list(problems) == [key]
    assert problems[key].expected == expected
    assert problems[key].set_by == f"command line: {override}"


def test_params_without_a_parameter_get_the_near_miss():
    problems = problems_of(QUADRATIC, "model.x=${params.rte}")
    assert problems["model.x"].fix == "write ${params.rate}"
    assert set(problems) == {"model.x", "search_space.x"}


def test_a_missing_package_comes_with_the_command_that_installs_it():
    install = "pip install no-such-package"
    problems = problems_of(QUADRATIC, "+model.needs={no_such_package: " + install + "}")
    # Plain pip may be that of another Python.
    assert problems["model"].fix == f"{shlex.quote(sys.executable)} -m {install}"


def test_everything_wrong_is_said_at_once():
    problems = problems_of(
        QUADRATIC,
        "preset=standard",
        "num_trials=0",
        "resources.cpu=-1",
        "scheduler.grace_period=99",
    )
    assert set(problems) == {"num_trials", "resources.cpu", "scheduler.grace_period"}


def test_a_misspelt_key_in_a_file_of_ones_own_is_not_dropped(tmp_path):
    (tmp_path / "preset").mkdir()
    preset = tmp_path / "preset" / "mine.yaml"
    preset.write_text("# @package _global_\nnum_trails: 5\nresources:\n  cpus: 2\n")
    problems = problems_of(QUADRATIC, "preset=mine", config_dir=tmp_path)
    assert problems["num_trails"].fix == "write num_trials instead"
    assert problems["num_trails"].set_by == "preset/mine.yaml"
    assert problems["resources.cpus"].fix == "write cpu instead"


def test_a_key_of_ones_own_is_welcome_where_something_reads_it(tmp_path):
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset" / "mine.yaml").write_text(
        "# @package _global_\nhow_noisy: 0.5\nmodel:\n  noise: ${how_noisy}\n"
    )
    plan = parse_plan(*compose_config([QUADRATIC, "preset=mine"], tmp_path))
    assert plan.template["how_noisy"] == 0.5


@pytest.mark.parametrize(
    ("overrides", "key", "set_by"),
    [
        (["preset=standard"], "num_trials", "preset/standard.yaml"),
        (["preset=standard", "num_trials=3"], "num_trials", "command line: num_trials=3"),
        ([], "num_trials", "config.yaml"),
        (["scheduler=asha"], "scheduler.grace_period", "scheduler/asha.yaml"),
        (["preset=production"], "scheduler.grace_period", "preset/production.yaml"),
        ([], "search_space.gamma.low", "search_space/ppo.yaml"),
        ([], "training.iterations", "training/rl.yaml"),
    ],
)
def test_every_value_knows_what_set_it(overrides, key, set_by):
    from hpo_app.config import provenance

    _, origin = compose_config(overrides)
    assert provenance.set_by(key, origin) == set_by


def preset(folder, text, name="mine"):
    (folder / "preset").mkdir(exist_ok=True)
    (folder / "preset" / f"{name}.yaml").write_text(f"# @package _global_\n{text}")


def test_a_file_cannot_trust_a_module(tmp_path):
    preset(tmp_path, "trusted_modules: [evil]\nmodel:\n  trainer: evil:train\n")
    problems = problems_of(QUADRATIC, "preset=mine", config_dir=tmp_path)
    assert problems["trusted_modules"].set_by == "preset/mine.yaml"
    assert "add 'trusted_modules=[evil]' on the command line" in problems["trusted_modules"].fix


@pytest.mark.parametrize("mark", ["", "++"])
def test_a_command_line_can_trust_a_module(mark):
    typed = f"{mark}trusted_modules=[json]"
    plan = parse_plan(*compose_config([QUADRATIC, typed, "model.trainer=json:JSONDecoder"]))
    assert plan.trusted_modules == ("json",)


def test_a_package_is_looked_for_without_being_imported(tmp_path, monkeypatch):
    (tmp_path / "evilpkg").mkdir()
    (tmp_path / "evilpkg" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    problems_of(QUADRATIC, "+model.needs={evilpkg.sub: pip install x}")
    parse_plan(*compose_config([QUADRATIC, "+model.needs={evilpkg: pip install x}"]))


def test_what_only_the_driver_knows_is_resolved_there_and_secrets_are_not(monkeypatch):
    monkeypatch.setenv("SECRET", "0.5")
    plan = parse_plan(
        *compose_config(
            [
                QUADRATIC,
                "model.noise=${now:%Y}",
                "model.step_time_s=${oc.env:SECRET}",
                "+data.names=[a, '${hpo.unique:}']",
                "+data.again=${hpo.unique:}",
            ]
        )
    )
    model, data = plan.template["model"], plan.template["data"]
    assert model["noise"].startswith("20")
    assert model["step_time_s"] == "${oc.env:SECRET}"
    assert data["names"] == ["a", data["again"]]
    assert len(data["again"]) == 8


@pytest.mark.parametrize("reader", ["${how.noisy}", "${oc.select:how,0.1}", "${how[noisy]}"])
def test_a_key_of_ones_own_is_read_below_it_and_by_resolvers(reader):
    overrides = [QUADRATIC, "+how={noisy: 0.5}", f"+data.read={reader}"]
    assert parse_plan(*compose_config(overrides)).template["how"] == {"noisy": 0.5}


@pytest.mark.parametrize(
    ("overrides", "key", "set_by"),
    [
        (
            ["search_alg=optuna", "search_alg.seed=1"],
            "search_alg",
            "command line: search_alg=optuna",
        ),
        (["search_alg.seed=1"], "search_alg", "config.yaml"),
        (["preset=standard"], "scheduler", "preset/standard.yaml"),
        (["search_space=quadratic"], "model", "command line: search_space=quadratic"),
        ([], "data", "model/ppo.yaml"),
        (["preset=standard"], "scheduler.max_t", "scheduler/asha.yaml"),
        (["preset=mine"], "num_trials", "preset/standard.yaml"),
        (["preset=mine"], "seed", "preset/mine.yaml"),
        (["preset=mine"], "scheduler.grace_period", "scheduler/asha.yaml"),
        (["preset=deeper"], "num_trials", ""),
        (["preset=deeper"], "seed", ""),
    ],
)
def test_what_chose_a_group_or_stands_in_the_base_of_a_preset_is_found(
    tmp_path, overrides, key, set_by
):
    from hpo_app.config import provenance

    preset(tmp_path, "defaults: [standard, _self_]\nseed: 3\n")
    preset(tmp_path, "defaults: [mine]\n", name="deeper")
    _, origin = compose_config(overrides, tmp_path)
    assert provenance.set_by(key, origin) == set_by


@pytest.mark.parametrize("override", ["++params.x=9", "params=null", "params=[1]"])
def test_sampled_values_are_not_set_by_hand(override):
    problem = problems_of(QUADRATIC, override)["params"]
    assert problem.expected.startswith("nothing: parameters are sampled")
    assert "search_space.NAME.default" in problem.fix
