"""A model trained in seconds on a sample: is the training code sound, before anything is spent on it?

sampling    the sample, the tiny batch, and the sample with its labels shuffled: variants of a snapshot
evidence    trains and scores; everything that takes time
checks      each question as a check with its sentence
gate        all of them, as a verdict
"""
