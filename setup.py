"""Maps the four source roots to their import names and builds the kernels; everything else stands in ``pyproject.toml``."""

import os
import sysconfig
from pathlib import Path

from setuptools import Extension, find_packages, setup

ROOTS = {
    "edge_rec": "edge_rec",
    "edge_rec_converters": "converters/edge_rec_converters",
    "edge_rec_devices": "devices/edge_rec_devices",
    "edge_rec_runtime": "runtime/edge_rec_runtime",
}
NATIVE = Path("runtime/edge_rec_runtime/_native")

# kernels by the architecture that they are for, as the names of their files end; the rest is for all
PARTS = {"x86_64": ("avx2", "avx512"), "arm64": ("neon", "dotprod")}
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def packages() -> list[str]:
    """Return every importable package below the four roots."""
    found: list[str] = []
    for name, folder in ROOTS.items():
        found.append(name)
        found.extend(f"{name}.{child}" for child in find_packages(folder))
    return found


def sources() -> list[str]:
    """Return the C files for the architecture that is built for; ``_PYTHON_HOST_PLATFORM`` names another."""
    own = PARTS.get(MACHINES.get(sysconfig.get_platform().rpartition("-")[2], ""), ())
    others = {part for parts in PARTS.values() for part in parts} - set(own)
    return sorted(str(file) for file in NATIVE.glob("*.c") if not others.intersection(file.stem.split("_")))


def kernels() -> Extension:
    """Return the search kernels, one build for every Python from 3.11 on and every CPU of an architecture.

    Optional: where nothing compiles, the package installs without them and numpy searches, unless ``EDGE_REC_REQUIRE_KERNELS`` is
    set. No ``-march``: each function says
    what it needs, and the CPU is asked at run time. No contraction to fused multiply-adds, so that scores are numpy's to the bit.
    """
    return Extension(
        "edge_rec_runtime._kernels",
        sources=sources(),
        depends=sorted(map(str, NATIVE.glob("*.h"))),
        define_macros=[("Py_LIMITED_API", "0x030B0000")],
        extra_compile_args=[
            "-std=gnu99",
            "-O3",
            "-g0",
            "-Wall",
            "-Wextra",
            "-ffp-contract=off",
            "-fvisibility=hidden",
            "-pthread",
        ],
        extra_link_args=["-pthread"],
        py_limited_api=True,
        optional=not os.environ.get("EDGE_REC_REQUIRE_KERNELS"),
    )


setup(
    packages=packages(),
    package_dir=ROOTS,
    ext_modules=[kernels()],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
