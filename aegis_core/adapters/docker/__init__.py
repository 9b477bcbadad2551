"""Docker Engine as a runtime, through the docker SDK."""

from .runtime import DockerRuntime

__all__ = ["DockerRuntime"]
