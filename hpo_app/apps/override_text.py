"""From a value to the override that hands it to a Hydra app, in Hydra's own spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString, Transformer
from hydra.errors import HydraException


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def override_texts(model: Mapping[str, Any], names: Iterable[str] | None = None) -> list[str]:
    """Return the overrides that hand the sampled values of a trial to its app.

    Args:
        model: The model of `model=hydra_app`, rendered: `values` by name, and `keys`, for those
            whose override has another name.
        names: Of which values; None for all.
    """
    keys, values = model.get("keys") or {}, model["values"]
    wanted = values if names is None else [name for name in names if name in values]
    return [override_text(keys.get(name, name), values[name]) for name in wanted]


def override_text(key: str, value: Any) -> str:
    """Return `key=value` as a person would type it: quoted only where it has to be.

    Folders are named by these texts (`hydra.job.override_dirname`), so that they are spelled as
    Hydra's own sweepers spell them.

    Args:
        key: With its marks and package, as in `+db@backup`.
        value: Plain: a number, text, flag, null, or a list or mapping of these.
    """
    return f"{key}={Transformer.str(_element(value))}"


def _element(value: Any) -> Any:
    if isinstance(value, dict):
        return {_element(name): _element(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_element(item) for item in value]
    if isinstance(value, str) and not _stands_for_itself(value):
        return QuotedString(value, Quote.single)
    return value


def _stands_for_itself(text: str) -> bool:
    try:
        read = OverridesParser.create().parse_override(f"key={Transformer.str(text)}")
    except HydraException:
        return False
    return not read.is_sweep_override() and _is_text(read.value(), text)


def _is_text(value: Any, text: str) -> bool:
    return isinstance(value, str) and value == text
