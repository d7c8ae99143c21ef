"""Core ML: writing packages for Apple's devices, and checking them without one."""
