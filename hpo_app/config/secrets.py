"""From a config to its secrets: which are referred to, and which stand in it in plain text.

A secret comes in by the name of an environment variable and stays there: `${oc.env:NAME}` is what
the run folder holds, and what a run that goes on resolves again. A secret in plain text could be
neither kept nor done without, so it is refused.
"""

from __future__ import annotations

import os
import re
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.errors import Problem
from hpo_app.redaction import hide, hide_environment, is_secret, secrets_in


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Hydra resolves it, and writes the values into the run folder.
ENV_SET = "hydra.job.env_set"
# What is sampled is shown everywhere: it is what a search finds out.
SAMPLED = ("search_space", "params")
_VARIABLE = re.compile(r"""\$\{\s*oc\.env\s*:\s*["']?(\w+)""")
_LITERAL_DEFAULT = re.compile(r"""\$\{\s*oc\.env\s*:[^,{}]*,\s*(?!null\b|\$\{|\}|""|'')""")
_INTERPOLATION = re.compile(r"(?<!\\)\$\{")
_FLAT = re.compile(r"\$\{[^${}]*\}")
_BY_NAME = re.compile(
    r"""(?<!\\)\$\{\s*(?:oc\.env\s*:\s*["']?(?P<variable>\w+)["']?\s*(?P<default>,[^${}]*)?"""
    r"""|(?P<param>params\.\w+))\s*\}"""
)
# Nobody can guess it: a sampled value that looks like an interpolation stays text.
_MARK = token_hex(16)
_UNSET = re.compile(r"Environment variable '(\w+)' not found")


def plain_secrets(config: Any) -> Iterator[Problem]:
    """Yield a problem for each secret that a config file holds in plain text."""
    for root, node in _plain_values(config).items():
        if root not in SAMPLED:
            for key, text in secrets_in(node, str(root)):
                if is_plain(text):
                    yield plain_secret(key)
    yield from sampled_secrets(config)


def sampled_secrets(config: Any) -> Iterator[Problem]:
    """Yield a problem for each secret in a search space: what is sampled is written everywhere."""
    space = _plain_values(config).get("search_space")
    for key, text in _texts("search_space", space):
        if secret_variables({key: text}):
            expected = "values that may be read by all: what is sampled is in every file and table"
            fix = "sample a name, and let the model look the secret up by it"
            yield Problem(key, text, expected, fix)


def set_for_the_job(env_set: Mapping[Any, Any]) -> Iterator[Problem]:
    """Yield a problem for each secret that Hydra is to put into the environment."""
    for name in env_set:
        if is_secret(str(name)):
            yield plain_secret(f"{ENV_SET}.{name}")


def secret_variables(config: Any) -> set[str]:
    """Return the environment variables that a config reads as secrets."""
    return {
        name
        for key, text in _texts("", _plain_values(config))
        for name in _VARIABLE.findall(text)
        if is_secret(name) or is_secret(key)
    }


def hide_secrets(config: Any) -> None:
    """Let this process hide the secrets of its environment, and those that a config reads."""
    hide_environment()
    hide(os.environ.get(name, "") for name in secret_variables(config))


def with_secrets_by_name(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template that renders with marks in place of its secrets, for `named_secrets`."""
    return {root: _escaped(str(root), node) for root, node in template.items()}


def named_secrets(text: str) -> str:
    """Return a text with `${oc.env:NAME}` where `with_secrets_by_name` has left a mark."""
    return text.replace(f"{_MARK}{{", "${")


def fix_of(error: Exception, otherwise: str) -> str:
    """Return what to type against an interpolation that leads nowhere."""
    unset = _UNSET.search(str(error))
    return f"set the variable first: export {unset.group(1)}=…" if unset else otherwise


def is_plain(text: str) -> bool:
    """Return whether the text of a secret's key is a secret, and not a reference to one."""
    if not text or text == "???":
        return False
    return "${" not in text or _LITERAL_DEFAULT.search(text) is not None


def plain_secret(key: str, set_by: str = "") -> Problem:
    """Return the problem of a secret in plain text, which does not say it."""
    name = re.sub(r"\W+", "_", key.rpartition(".")[2]).strip("_")
    expected = "the name of an environment variable: what is written here stays in the run folder"
    upper = name.upper()
    fix = f"export {upper}=… in the shell, and write '{key}=${{oc.env:{upper}}}'"
    if key.startswith(ENV_SET):
        fix = f"leave it out and export {name}=… in the shell before: trials inherit it"
    return Problem(key, "a secret in plain text", expected, fix, set_by)


def _plain_values(config: Any) -> dict[Any, Any]:
    plain: Any = config
    if OmegaConf.is_config(config):
        plain = OmegaConf.to_container(config, resolve=False)
    return dict(plain)


def _texts(key: str, node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _texts(f"{key}.{name}", child)
    elif isinstance(node, list):
        for child in node:
            yield from _texts(key, child)
    elif isinstance(node, str):
        yield key, node


def _escaped(key: str, node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _escaped(f"{key}.{name}", child) for name, child in node.items()}
    if isinstance(node, list):
        return [_escaped(key, child) for child in node]
    secrets = secret_variables({key: node}) if isinstance(node, str) else set()
    if not secrets:
        return node
    if "${" in _FLAT.sub("", node):  # One inside of another: all of it waits for the secret.
        return _INTERPOLATION.sub(f"{_MARK}{{", node)
    return _BY_NAME.sub(lambda found: _marked(found, secrets), node)


def _marked(found: re.Match[str], secrets: set[str]) -> str:
    """Return what stands for a secret or a parameter; all else beside a secret is resolved."""
    if found["param"]:
        return f"{_MARK}{{{found['param']}}}"
    if found["variable"] not in secrets:
        return found[0]
    return f"{_MARK}{{oc.env:{found['variable']}{found['default'] or ''}}}"
