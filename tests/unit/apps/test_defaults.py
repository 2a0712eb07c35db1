"""Trial 0 of a sweep is what the app runs by itself, however the sweep writes its values."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from hpo_app.apps.defaults import check_and_take_defaults
from hpo_app.apps.grammar import read_sweep


class Kind(Enum):
    SGD = 1
    ADAM = 2


@dataclass
class Config:
    kind: Kind = Kind.SGD
    dropout: float = 0.0
    width: int = 1
    flag: bool = True


ConfigStore.instance().store(name="of_this_test", node=Config)


@pytest.mark.parametrize(
    ("typed", "default"),
    [
        ("kind=ADAM,SGD", "SGD"),
        ("dropout=0.5,0,0.1", 0),
        ("dropout=0.5,0.0,0.1", 0.0),
        ("width=int(interval(0,9))", 1),
        ("flag=false,true", True),
        ("width=2,3", None),
    ],
)
def test_a_sweep_starts_where_the_app_stands(tmp_path: Path, typed: str, default: Any) -> None:
    with initialize_config_dir(str(tmp_path)):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        master = hydra.compose_config("of_this_test", [], RunMode.MULTIRUN, False)
        sweep = read_sweep([typed], hydra.config_loader, [])
        check_and_take_defaults(sweep, hydra.config_loader, master)
    (entry,) = sweep.space.values()
    found = entry.get("default")
    assert (type(found), found) == (type(default), default)
