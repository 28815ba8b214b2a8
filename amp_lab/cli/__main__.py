"""``python -m amp_lab.cli`` is the command ``amp-lab``."""

import sys

from amp_lab.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
