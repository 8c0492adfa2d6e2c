"""A team's own trainers, one sound and several with the faults that a small-scale test must find.

The module's text is written where a test wants it: a trainer is named by module, and stored with its model by value.
"""

from __future__ import annotations

SOURCE = '''
"""Trainers of a made-up team."""

import itertools

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

_CALLS = itertools.count()


def numbers(frame):
    columns = [frame["amount"], frame["count"], frame["code"].astype(float), frame["member"].astype(float)]
    region = frame["region"].fillna("")
    known = [(region == name).astype(float) for name in ("north", "south", "east", "west")]
    return np.column_stack([np.nan_to_num(np.asarray(one, dtype=float)) for one in columns + known])


class Wrapped(BaseEstimator):
    def __init__(self, inner):
        self.inner = inner

    def predict_proba(self, frame):
        return self.inner.predict_proba(numbers(frame))


def fitted(job, labels=None, split="train"):
    by_heart = DecisionTreeClassifier(random_state=job.seed)
    model = by_heart if job.options.get("leaf") == 1 else LogisticRegression(max_iter=1000)
    return Wrapped(model.fit(numbers(job.frame(split)), job.labels(split) if labels is None else labels))


def sound(job):
    return fitted(job)


def deaf(job):
    """Ignores the labels it is given."""
    labels = np.random.default_rng([job.seed, 99]).permutation(job.labels("train"))
    return fitted(job, labels)


def restless(job):
    """Draws from something else than the seed."""
    rows = np.random.default_rng(next(_CALLS)).random(len(job.labels("train"))) < 0.5
    tree = DecisionTreeClassifier(max_depth=4).fit(numbers(job.frame("train"))[rows], job.labels("train")[rows])
    return Wrapped(tree)


class Forgetful(Wrapped):
    """Keeps what it learned to itself: what is saved answers otherwise."""

    def __getstate__(self):
        return {"inner": Upside(self.inner)}


class Upside:
    def __init__(self, inner):
        self.inner = inner

    def predict_proba(self, matrix):
        return self.inner.predict_proba(matrix)[:, ::-1]


def forgetful(job):
    return Forgetful(fitted(job).inner)


class Unsaved(Wrapped):
    def __reduce__(self):
        raise TypeError("cannot pickle a lock")


def unsaved(job):
    return Unsaved(fitted(job).inner)


class Batchwise(Wrapped):
    """Takes the mean of the rows it is asked about: one row alone gets another answer."""

    def predict_proba(self, frame):
        matrix = numbers(frame)
        return self.inner.predict_proba(matrix - matrix.mean(axis=0))


def batchwise(job):
    matrix = numbers(job.frame("train"))
    tree = DecisionTreeClassifier(max_depth=4, random_state=job.seed)
    return Batchwise(tree.fit(matrix - matrix.mean(axis=0), job.labels("train")))


def peeking(job):
    """Learns from the rows it will be judged on, too."""
    matrix = np.vstack([numbers(job.frame(name)) for name in ("train", "test")])
    labels = np.concatenate([job.labels(name) for name in ("train", "test")])
    return Wrapped(DecisionTreeClassifier(random_state=job.seed).fit(matrix, labels))
'''
