"""Whether there is an NVIDIA GPU, asked of its driver, without importing any framework."""

import ctypes
import sys
from functools import cache

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


@cache
def gpu_is_present() -> bool:
    """Whether the driver is there and knows of a device."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return False
    count = ctypes.c_int(0)
    return (
        driver.cuInit(0) == 0
        and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
        and count.value > 0
    )
