"""Verbs: one stage a file, one function a stage. The order of the stages stands in `responder` alone."""
