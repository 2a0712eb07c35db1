"""`python -m hpo_app`."""

import sys


try:
    from hpo_app.cli import main
except ModuleNotFoundError as error:
    if (error.name or "").split(".", maxsplit=1)[0] not in {"hydra", "omegaconf"}:
        raise
    sys.exit(
        f"{sys.executable} has no package {error.name}: start hpo_app with ./scripts/run, or "
        "install it with pip install hpo_app"
    )


if __name__ == "__main__":
    sys.exit(main())
