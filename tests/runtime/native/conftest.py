"""What the tests of kernels share: the extension, the installed one or, for ``make sanitize``, that of another file."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from types import ModuleType

_NAME, _VARIABLE = "edge_rec_runtime._kernels", "EDGE_REC_TEST_KERNELS"

if _VARIABLE in os.environ and _NAME not in sys.modules:
    loader = importlib.machinery.ExtensionFileLoader(_NAME, os.environ[_VARIABLE])
    specification = importlib.util.spec_from_loader(_NAME, loader)
    assert specification is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(specification)
    loader.exec_module(sys.modules[_NAME])
    settings.register_profile("sanitised", deadline=None)
    settings.load_profile("sanitised")


@pytest.fixture(scope="session")
def native() -> ModuleType:
    """Return the extension; ``make native`` builds it."""
    return importlib.import_module(_NAME)
