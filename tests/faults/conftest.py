"""A run folder as a run leaves it, made without a run: by the parts that write its files."""

import json
import random
import shutil

import pytest
from omegaconf import OmegaConf

from hpo_app.config.best import BestConfig, write_best
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.study.folder import config_checksums
from hpo_app.study.journal import FILE_NAME, SCHEMA_VERSION, Journal
from hpo_app.training.checkpoint import checkpoint_checksum, write_iteration


OVERRIDES = ["search_space=quadratic", "num_trials=4", "training.iterations=3"]


def write_run(folder):
    """Write the folder of a run that was killed: two trials ended, one failed, one under way."""
    config, origin = compose_config(OVERRIDES)
    plan = parse_plan(config, origin)
    hydra = {"overrides": {"task": OVERRIDES}, "runtime": {"choices": dict(origin.choices)}}
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "config.yaml").write_text(OmegaConf.to_yaml(config))
    (folder / ".hydra" / "hydra.yaml").write_text(OmegaConf.to_yaml({"hydra": hydra}))
    journal = Journal.create(folder / FILE_NAME)
    journal.append(
        "opened",
        schema=SCHEMA_VERSION,
        run_id=folder.name,
        metric="loss",
        mode="min",
        space=plan.space_entries,
        num_trials=4,
        iterations=3,
        seed=0,
        facts={"python": "3"},
        stored=config_checksums(folder),
    )
    journal.sync()
    for number in range(4):
        write_trial(folder, journal, number, plan.space)
    journal.close()
    params = plan.space.defaults
    best = BestConfig(render(plan.template, params), plan.criteria, params, {"trial": 0})
    write_best(folder / "best.yaml", best, ["Best."])
    (folder / "environment.json").write_text(json.dumps({"python": "3"}))
    return folder


def write_trial(folder, journal, number, space):
    params = {name: space[name].at((number + 1) / 5) for name in space}
    journal.append("asked", trial=number, params=params, is_default=number == 0, seed=number)
    journal.append("started", trial=number)
    for iteration in (1, 2):
        metrics = {"loss": 10.0 / (number + iteration)}
        journal.append("reported", trial=number, iteration=iteration, metrics=metrics)
        place = f"trials/{number}/checkpoint_{iteration - 1:06d}"
        (folder / place).mkdir(parents=True)
        (folder / place / "state.json").write_text(json.dumps(metrics))
        write_iteration(folder / place, iteration)
        saved = {"iteration": iteration, "crc32": checkpoint_checksum(folder / place)}
        journal.append("checkpointed", trial=number, path=place, **saved)
        journal.sync()
    ends = {0: {"state": "finished"}, 1: {"state": "stopped"}, 2: {"state": "failed", "error": "E"}}
    if number in ends:
        journal.append("ended", trial=number, told="COMPLETE", **ends[number])
    journal.sync()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """One such folder for all; nobody may write in it."""
    return write_run(tmp_path_factory.mktemp("recorded") / "run")


@pytest.fixture
def run_folder(recorded, tmp_path):
    """A copy of one's own."""
    return shutil.copytree(recorded, tmp_path / "run")


def mutations(content, count, seed=0):
    """Yield `count` damaged copies: bytes flipped, cut, doubled, zeroed, lines swapped."""
    yield b""
    yield b"\0" * 4096
    yield content.replace(b"\n", b"\r\n")
    yield b"\xef\xbb\xbf" + content
    yield content + b"\0" * 4096
    draw = random.Random(seed)
    for _ in range(count - 5):
        damage = draw.choice((_flip, _flip, _cut, _double, _zero, _swap, _insert))
        yield damage(content, draw)


def _flip(content, draw):
    place = draw.randrange(len(content))
    return (
        content[:place] + bytes([content[place] ^ (1 << draw.randrange(8))]) + content[place + 1 :]
    )


def _span(content, draw):
    start = draw.randrange(len(content))
    return start, min(len(content), start + draw.choice((1, 3, 40, 512)))


def _cut(content, draw):
    start, end = _span(content, draw)
    return content[:start] + content[end:]


def _double(content, draw):
    start, end = _span(content, draw)
    return content[:end] + content[start:]


def _zero(content, draw):
    start, end = _span(content, draw)
    return content[:start] + b"\0" * (end - start) + content[end:]


def _swap(content, draw):
    lines = content.splitlines(keepends=True)
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _insert(content, draw):
    start, _ = _span(content, draw)
    word = draw.choice(
        (b"\n", b"${oc.env:HOME}", b"[" * 2000, b"9" * 5000, b"\xff", b"&a *a", b"-")
    )
    return content[:start] + word + content[start:]


@pytest.fixture
def damaged():
    """Return damaged copies of some content, the same ones every time."""
    return mutations
