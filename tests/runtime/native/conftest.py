"""What the tests of kernels share: the extension, and the levels that this CPU runs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="session")
def native() -> ModuleType:
    """Return the extension; ``make native`` builds it."""
    return importlib.import_module("edge_rec_runtime._kernels")
