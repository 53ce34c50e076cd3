"""Imported by the server from which `workers` forks, and by nothing else: loads Great Expectations there."""

from orchestration.processes import give_way, never_garbage
from orchestration.validation.running import load_library

give_way()
with never_garbage():
    load_library()
