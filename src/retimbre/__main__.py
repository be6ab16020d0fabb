"""`python -m retimbre` is the command `retimbre`."""

import sys

from retimbre.cli import main

sys.exit(main())
