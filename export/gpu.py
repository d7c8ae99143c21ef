"""Which NVIDIA GPU there is, asked of its driver, without importing any framework."""

import ctypes
import sys
from functools import cache

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_MAJOR, _MINOR = 75, 76
"""`CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR` and `_MINOR` of the driver's interface."""


@cache
def compute_capability() -> str | None:
    """Return the first GPU's compute capability, `sm89`; None: there is no GPU, or no driver."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return None
    count, device = ctypes.c_int(0), ctypes.c_int(0)
    major, minor = ctypes.c_int(0), ctypes.c_int(0)
    is_found = (
        driver.cuInit(0) == 0
        and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
        and count.value > 0
        and driver.cuDeviceGet(ctypes.byref(device), 0) == 0
        and driver.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, device) == 0
        and driver.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, device) == 0
    )
    return f"sm{major.value}{minor.value}" if is_found else None


def gpu_is_present() -> bool:
    """Whether the driver is there and knows of a device."""
    return compute_capability() is not None
