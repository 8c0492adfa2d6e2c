"""What chance does to a model: the same recipe trained again and again, and how far the results lie apart.

reruns      trains: the same seed twice, other seeds, other draws of the training rows
variance    spread over runs as standard deviations with intervals
agreement   what two runs answer to the same rows: scores that moved, decisions that flipped
gate        holds them against a policy, and writes what ``compare_champion`` reads
"""
