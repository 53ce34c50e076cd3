"""Imported by the server from which `workers` forks its processes, and by nothing else: loads Great Expectations there.

Python's collector stays off meanwhile: it would walk again and again over what never is garbage.
"""

import gc
import os

from orchestration.validation.running import load_library

os.nice(5)
gc.disable()
load_library()
gc.freeze()
gc.enable()
