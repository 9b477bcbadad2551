"""Docker Engine as a runtime, through the docker SDK."""
