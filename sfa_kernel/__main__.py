"""``python -m sfa_kernel`` is ``sfa``."""

import sys

from sfa_kernel.cli import main

sys.exit(main())
