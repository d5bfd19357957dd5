import importlib.util
from types import ModuleType

import pytest

import qkv.nn.attention
import qkv.nn.masks


def without_shape_checks(module: ModuleType) -> ModuleType:
    """A second copy of a module, as a learner gets it: without the checks of the shape strings that pytest adds."""
    spec = importlib.util.spec_from_file_location(f"plain_{module.__name__.rpartition('.')[2]}", module.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


@pytest.fixture(scope="session")
def plain_attention() -> ModuleType:
    return without_shape_checks(qkv.nn.attention)


@pytest.fixture(scope="session")
def plain_masks() -> ModuleType:
    return without_shape_checks(qkv.nn.masks)
