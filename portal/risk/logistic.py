"""Logistic regression in plain numpy: standardised, with an L2 penalty, then calibrated.

Newton's method on the penalised likelihood (iteratively reweighted least squares). Calibration
after Platt: a line through the log odds, fitted on looks later than those learned from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portal.risk.sums import Flags, Floats

PENALTY = 10.0
STEPS = 50
ENOUGH = 1e-8
FARTHEST = 12.0  # log odds beyond which a chance is as good as certain


@dataclass(frozen=True)
class Logistic:
    """Weights of standardised facts; `slope` and `shift` calibrate the log odds."""

    middle: list[float]
    spread: list[float]
    weights: list[float]
    intercept: float
    slope: float = 1.0
    shift: float = 0.0

    def shares(self, matrix: Floats) -> Floats:
        """What each fact of each row adds to the calibrated log odds of an average row."""
        standard = (matrix - np.array(self.middle)) / np.array(self.spread)
        return np.asarray(self.slope * standard * np.array(self.weights))

    def log_odds(self, matrix: Floats) -> Floats:
        total = self.slope * self.intercept + self.shift + self.shares(matrix).sum(axis=1)
        return np.asarray(np.clip(total, -FARTHEST, FARTHEST))

    def chances(self, matrix: Floats) -> Floats:
        return squash(self.log_odds(matrix))


def squash(log_odds: Floats) -> Floats:
    """The chance that belongs to log odds."""
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def fit(matrix: Floats, outcome: Flags) -> Logistic:
    """The model of largest penalised likelihood; a fact that never varies gets no weight."""
    middle, spread = matrix.mean(axis=0), matrix.std(axis=0)
    spread = np.where(spread < 1e-9, 1.0, spread)
    standard = (matrix - middle) / spread
    whole = np.column_stack([np.ones(len(standard)), standard])
    penalty = np.full(whole.shape[1], PENALTY)
    penalty[0] = 0.01  # how many stay unpaid is learned nearly freely
    weights = _newton(whole, outcome, penalty, np.zeros(whole.shape[1]))
    return Logistic(middle.tolist(), spread.tolist(), weights[1:].tolist(), float(weights[0]))


def calibrate(model: Logistic, matrix: Floats, outcome: Flags) -> Logistic:
    """The same model with its log odds straightened by looks it did not learn from.

    Drawn slightly towards no change, so that few looks change little.
    """
    raw = model.log_odds(matrix)
    line = np.column_stack([np.ones(len(raw)), raw])
    shift, slope = _newton(line, outcome, np.full(2, 1.0), np.array([0.0, 1.0]))
    return Logistic(model.middle, model.spread, model.weights, model.intercept,
                    max(float(slope), 0.05), float(shift))  # fmt: skip


def _newton(matrix: Floats, outcome: Flags, penalty: Floats, start: Floats) -> Floats:
    """Weights that minimise the loss, drawn towards `start` by the penalty."""
    weights = start.copy()
    target = outcome.astype(np.float64)
    for _ in range(STEPS):
        chance = squash(np.clip(matrix @ weights, -FARTHEST, FARTHEST))
        slope = matrix.T @ (chance - target) + penalty * (weights - start)
        curve = (matrix * (chance * (1 - chance))[:, None]).T @ matrix + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curve, slope)
        weights = weights - np.clip(step, -4, 4)
        if np.abs(step).max() < ENOUGH:
            break
    return weights
