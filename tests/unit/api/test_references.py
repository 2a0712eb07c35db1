"""Configs that are parts of a larger one, as they are below @hydra.main."""

from omegaconf import OmegaConf

from hpo_app import TrainingEngine
from hpo_app.api.references import standing_alone
from hpo_app.api.request import Request, compose_request
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render


CONFIG = """
epochs: 7
top: 1.0
name: {short: net, tag: "${name.short}-${epochs}", key: "${oc.env:TOKEN}"}
network:
  lr: 0.5
  warm_lr: ${network.lr}
  beside: ${.lr}
  above: ${..top}
  label: "a ${name.tag}"
  nested: ${name.${which}}
  key: ${name.key}
  section: ${name}
  ours: ${params.lr}
  written: '\\${epochs}'
which: short
data: {best: "${network.lr}"}
training: {epochs: "${epochs}"}
space: {lr: {type: uniform, low: 0.0, high: "${top}"}}
round: {x: "${round.y}", y: "${round.x}"}
"""


def cfg():
    return OmegaConf.create(CONFIG)


def test_a_reference_to_the_larger_config_becomes_its_value_and_one_to_a_part_stays():
    whole = cfg()
    alone = standing_alone({"model": whole.network, "data": whole.data, "training": None})
    assert alone["model"] == {
        "lr": 0.5,
        "warm_lr": "${model.lr}",
        "beside": "${model.lr}",
        "above": 1.0,
        "label": "a net-7",
        "nested": "net",
        # What may be a secret goes into no file.
        "key": "${oc.env:TOKEN}",
        "section": {"short": "net", "tag": "net-7", "key": "${oc.env:TOKEN}"},
        "ours": "${params.lr}",
        "written": "\\${epochs}",
    }
    assert (alone["data"], alone["training"]) == ({"best": "${model.lr}"}, None)


def test_a_config_of_its_own_refers_to_itself_and_what_is_no_config_stays():
    one = OmegaConf.create({"lr": 0.1, "warm": "${lr}", "lost": "${nowhere}"})
    alone = standing_alone({"model": one, "data": {"x": "${lr}"}, "training": "curve"})
    assert alone["model"] == {"lr": 0.1, "warm": "${model.lr}", "lost": "${nowhere}"}
    assert (alone["data"], alone["training"]) == ({"x": "${lr}"}, "curve")


def test_references_that_go_round_end():
    assert set(standing_alone({"data": OmegaConf.create({"all": cfg()}).all.round})["data"]) == {
        "x",
        "y",
    }
    larger = OmegaConf.create({"a": "${b}", "b": "${a}", "data": {"x": "${a}"}})
    assert standing_alone({"data": larger.data})["data"]["x"] in ("${a}", "${b}")


def test_a_search_over_parts_of_a_config_follows_what_is_sampled():
    whole = cfg()
    for unset in ("key", "section", "ours", "nested"):
        del whole.network[unset]
    request = Request(
        whole.network, whole.data, whole.training, whole.space, 3, "loss", "min",
        trainer="__main__:train",
    )  # fmt: skip
    plan = parse_plan(*compose_request(request), has_function=True)
    rendered = render(plan.template, {"lr": 0.25})
    assert plan.iterations == 7
    assert plan.space["lr"].high == 1.0
    assert rendered.model["warm_lr"] == rendered.data["best"] == 0.25


def test_one_training_reads_what_its_configs_refer_to():
    def train(model, data, training, trial):
        for _ in range(training["epochs"]):
            trial.report({"loss": model["above"] + data["best"]})

    whole = cfg()
    reports = TrainingEngine(train).fit(
        {"above": 1.0}, {"best": 0.5}, whole.training, metric="loss"
    )
    assert reports == [{"loss": 1.5}] * 7
