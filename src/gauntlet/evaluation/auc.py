"""The area under the ROC curve and its influence, by midranks (DeLong 1988; Sun & Xu 2014), with weights and slices."""

from __future__ import annotations

from gauntlet.evaluation.sample import Floats, Ints


def auc(label: Floats, score: Floats, weight: Floats | None = None) -> float:
    """P(score of a positive > score of a negative) + half P(tie), rows drawn in proportion to weight.

    Equals the trapezoid area under the (weighted) ROC curve. NaN when a class has no weight. Constant scores give 0.5.
    O(n log n).
    """
    raise NotImplementedError


def auc_influence(label: Floats, score: Floats, weight: Floats | None = None) -> tuple[float, Floats]:
    """AUC and each row's influence on it; the influences sum to zero within each class.

    Influence of a positive i: (w_i / W+) (F-(s_i) - AUC), of a negative j: (w_j / W-) (1 - F+(s_j) - AUC), F with ties
    counted half. Scaled by sqrt(m / (m - 1)) within each class of m rows, their sum of squares is DeLong's variance.
    """
    raise NotImplementedError


def grouped_auc(label: Floats, score: Floats, weight: Floats, codes: Ints, groups: int) -> tuple[Floats, Floats]:
    """AUC of every group and each row's influence on its own group's.

    Args:
        label, score, weight: (n,).
        codes: (n,) group of each row, -1 for none.
        groups: number of groups.

    Returns:
        (groups,) AUC, NaN where a class is missing; (n,) influence, 0 outside groups and in groups without an AUC.
    """
    raise NotImplementedError


def delong(label: Floats, scores: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """AUCs of several models on the same rows and their DeLong covariance.

    Args:
        label: (n,) 0 or 1.
        scores: (models, n).
        weight: (n,) or None.

    Returns:
        (models,) AUCs, (models, models) covariance.
    """
    raise NotImplementedError
