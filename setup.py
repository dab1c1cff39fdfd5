"""Maps the four source roots to their import names; everything else stands in ``pyproject.toml``."""

from setuptools import find_packages, setup

ROOTS = {
    "edge_rec": "edge_rec",
    "edge_rec_converters": "converters/edge_rec_converters",
    "edge_rec_devices": "devices/edge_rec_devices",
    "edge_rec_runtime": "runtime/edge_rec_runtime",
}


def packages() -> list[str]:
    """Return every importable package below the four roots."""
    found: list[str] = []
    for name, folder in ROOTS.items():
        found.append(name)
        found.extend(f"{name}.{child}" for child in find_packages(folder))
    return found


setup(packages=packages(), package_dir=ROOTS)
