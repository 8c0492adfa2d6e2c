"""Where versions run: one target a kind of place, each the whole of what a rollout is carried out with.

service      what every target offers, and the address that names one
local/       real server processes behind a weighted, mirroring router on loopback
kserve/      an InferenceService, in Knative or Standard mode
"""
