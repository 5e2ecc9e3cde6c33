"""OpenVINO and its quantiser nncf: optional packages, imported without their telemetry."""

import importlib
import sys
from types import ModuleType
from typing import Any

from goods.errors import ModelError

_ABSENT: ModuleType = None  # type: ignore[assignment] # how Python marks a module as not to be found


def load_library(name: str) -> Any:
    """The module `openvino` or `nncf`.

    Both report their import and their use to Google Analytics unasked, and do without when the
    package that does the reporting is absent. So it is, for this process.

    Raises:
        ModelError: It is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", _ABSENT)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ModelError(
            f"this backend needs {name}, which is not installed; "
            "run `pip install openvino nncf`, or use --backend torch"
        ) from error


def processor() -> str:
    """The CPU by its name and by what it computes natively: others may round differently."""
    core = load_library("openvino").Core()
    abilities = sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    return f"{core.get_property('CPU', 'FULL_DEVICE_NAME')} {' '.join(abilities)}"
