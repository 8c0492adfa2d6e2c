"""Targets: where versions run, each with everything that a rollout needs there.

service      what every target offers, and the address that names one
local/       real server processes behind a weighted, mirroring router on loopback
kserve/      an InferenceService, in Knative or Standard mode
"""
