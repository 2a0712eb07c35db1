"""From a YAML file that anybody may have written to its keys."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from hpo_app.study.files import read_small


if TYPE_CHECKING:
    from pathlib import Path

# What reading such a file, and looking for keys in it, can end in.
UNREADABLE = (
    AttributeError,
    KeyError,
    OmegaConfBaseException,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    YAMLError,
)


def read_yaml(path: Path) -> DictConfig:
    """Return the keys of a YAML file, its interpolations as they stand.

    Raises:
        Exception: One of `UNREADABLE`.
    """
    content = OmegaConf.load(io.StringIO(read_small(path).decode("utf-8-sig")))
    if not isinstance(content, DictConfig):
        raise TypeError("the file holds no mapping of keys to values")
    return content
