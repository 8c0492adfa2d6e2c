"""A model trained in seconds on a sample: is the training code sound at all?"""
