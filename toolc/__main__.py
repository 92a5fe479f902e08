"""`python -m toolc`."""

import os
import signal

# Until `main` catches it, an interrupt ends the process without a traceback; where interrupts are
# ignored, as in the background, they stay so.
interrupts = signal.getsignal(signal.SIGINT)
if interrupts is signal.default_int_handler:
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import sys  # noqa: E402

from toolc.cli import main  # noqa: E402

signal.signal(signal.SIGINT, interrupts)
sys.exit(main())
