"""From names in the config to Gymnasium's wrappers around an environment."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import gymnasium

from hpo_app.errors import listed, near_miss
from hpo_app.training.contract import refusal


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Those of gymnasium.wrappers whose arguments are plain values, which keep no statistics that a
# checkpoint would have to hold, and which leave the length of an episode to the environment.
WRAPPERS = (
    "AtariPreprocessing",
    "ClipAction",
    "ClipReward",
    "DelayObservation",
    "DiscretizeAction",
    "FilterObservation",
    "FlattenObservation",
    "FrameStackObservation",
    "GrayscaleObservation",
    "MaxAndSkipObservation",
    "RepeatAction",
    "RescaleAction",
    "RescaleObservation",
    "ReshapeObservation",
    "ResizeObservation",
    "StickyAction",
    "TimeAwareObservation",
)


def checked_wrappers(wrappers: object, trusted: Sequence[str]) -> list[dict[str, Any]]:
    """Return the wrappers of a config, innermost first, after checking their names.

    Args:
        wrappers: A list of `{name, …}`: a name in `WRAPPERS`, or `package.module:Class` of a
            trusted package, and the arguments of that class.
        trusted: Modules that a name may be from.

    Raises:
        ConfigurationError: If it is anything else.
    """
    key = "data.wrappers"
    if not isinstance(wrappers, (list, tuple)):
        expected = "a list of wrappers"
        fix = "data.wrappers='[{name: FrameStackObservation, stack_size: 4}]'"
        raise refusal(key, repr(wrappers), expected, fix)
    return [_checked(each, f"{key}[{place}]", trusted) for place, each in enumerate(wrappers)]


def wrapped(
    environment: gymnasium.Env[Any, Any],
    wrappers: Sequence[Mapping[str, Any]],
    *,
    for_training: bool,
) -> gymnasium.Env[Any, Any]:
    """Return an environment inside its wrappers, the first of them innermost.

    Wrappers of rewards are for training only: what is reported is the environment's own reward.

    Args:
        environment: What is to be wrapped.
        wrappers: As `checked_wrappers` returns them.
        for_training: Whether an agent is to learn from it, and not to be judged in it.
    """
    for wrapper in wrappers:
        settings = dict(wrapper)
        build = _class(settings.pop("name"))
        is_of_rewards = isinstance(build, type) and issubclass(build, gymnasium.RewardWrapper)
        if for_training or not is_of_rewards:
            environment = build(environment, **settings)
    return environment


def _checked(wrapper: object, key: str, trusted: Sequence[str]) -> dict[str, Any]:
    if not isinstance(wrapper, dict) or not isinstance(wrapper.get("name"), str):
        fix = f"{key}: {{name: FrameStackObservation, stack_size: 4}}"
        raise refusal(key, repr(wrapper), "a name and the wrapper's arguments", fix)
    name = wrapper["name"]
    module, colon, _ = name.rpartition(":")
    if colon and not any(module == known or module.startswith(f"{known}.") for known in trusted):
        raise refusal(
            f"{key}.name",
            repr(name),
            "a wrapper of Gymnasium, or of a module in trusted_modules",
            f"trusted_modules=[{module.partition('.')[0]}] on the command line, if you trust it",
        )
    if not colon and name not in WRAPPERS:
        near = near_miss(name, WRAPPERS)
        fix = f"{key}.name={near}" if near else "a wrapper of your own, as package.module:Class"
        raise refusal(f"{key}.name", repr(name), f"one of {listed(WRAPPERS)}", fix)
    return dict(wrapper)


def _class(name: str) -> Any:
    module, colon, attribute = name.rpartition(":")
    if not colon:
        return getattr(gymnasium.wrappers, name)
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        got, fix = f"{name} ({error})", "correct the name"
        raise refusal("data.wrappers", got, "a class that can be imported", fix) from error
    # A module that is trusted may have imported others, which are not.
    if not (isinstance(found, type) and issubclass(found, gymnasium.Wrapper)):
        expected = "a class of your own that is a gymnasium.Wrapper"
        raise refusal("data.wrappers", name, expected, "name such a class")
    return found
