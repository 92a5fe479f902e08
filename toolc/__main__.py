"""`python -m toolc`."""

import sys

from toolc.cli import main

sys.exit(main())
