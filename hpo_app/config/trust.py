"""From a list of trusted modules to whether a person gave it: no file may trust code by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.config.overrides import read_override, unquoted
from hpo_app.config.render import READERS, TRUSTED as KEY
from hpo_app.errors import Problem


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hpo_app.config.compose import Origin

_REFERENCE = "${trusted_modules}"
# How the model of that name says that its function is named on the command line.
FUNCTION = "${model.function}"


def trust_from_a_file(modules: Sequence[str], origin: Origin) -> Iterator[Problem]:
    """Yield trust that a config file claims: files come from anywhere, a command line does not."""
    texts = origin.overrides if origin.typed is None else origin.typed
    typed = {read_override(text).key for text in texts}
    if modules and KEY not in typed:
        shown = f"[{','.join(modules)}]"
        expected = "a list from the command line: a file cannot trust any code"
        fix = f"if the code is yours, add '{KEY}={shown}' on the command line"
        yield Problem(KEY, shown, expected, fix)


def typed_function(origin: Origin) -> tuple[str, ...]:
    """Return the package of the training function that a person names, and so trusts; else nothing.

    Of a run that goes on it has to be said anew, by `trusted_modules`.
    """
    texts = origin.overrides if origin.typed is None else origin.typed
    return packages_of_functions(texts)[-1:]


def packages_of_functions(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return the package of each training function that overrides name, in order."""
    named = [each.value for each in map(read_override, overrides) if each.key == "model.function"]
    # A sweep puts a backslash before the colon.
    packages = [unquoted(value).partition(":")[0].partition(".")[0] for value in named]
    return tuple(package for package in packages if package.isidentifier())


def trust_beside_the_list(template: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a list of trusted modules in `model` or `data` that is one of its own."""
    for part in READERS:
        section = template.get(part)
        value = section.get(KEY, _REFERENCE) if isinstance(section, dict) else _REFERENCE
        if value not in (_REFERENCE, []):
            fix = f"write {KEY}=[…] on the command line instead"
            yield Problem(f"{part}.{KEY}", str(value), f"{_REFERENCE} and nothing else", fix)
