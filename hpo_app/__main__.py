"""`python -m hpo_app`."""

import sys

from hpo_app.cli import main


if __name__ == "__main__":
    sys.exit(main())
