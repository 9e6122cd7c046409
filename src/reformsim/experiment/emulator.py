"""An emulator: what a model would give where it was not run, and how sure that is.

A Gaussian process with one length scale for each input (Rasmussen & Williams 2006), fitted by
maximum likelihood with noise; checked by leaving out each run in turn. scikit-learn is imported
where it is used: that takes seconds.
"""

import warnings
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

#: Points predicted at once: bounds the memory that takes.
BATCH = 1 << 13

#: Fewer runs than this are too few to fit anything.
FEWEST = 8


def one_thread() -> Any:
    """Hold linear algebra to one thread: small matrices wait on others, and bits may differ."""
    return _controller().limit(limits=1)


@cache
def _controller() -> Any:
    import sklearn.gaussian_process  # noqa: F401 (brings in all libraries that are to be held)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@dataclass(frozen=True)
class Emulator:
    """A fitted process for one figure.

    ``x`` (n, inputs) lies in the unit cube; ``y`` (n,) are means over the replications of a point,
    in units of ``scale`` from ``centre``. ``noise`` is the variance between runs at one point, of
    the figure itself. Without ``process`` the figure was the same at all points.
    """

    x: np.ndarray
    y: np.ndarray
    centre: float
    scale: float
    noise: float
    process: Any

    def predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of the expected figure at points (m, inputs).

        The variance is widened by ``inflation``.
        """
        if self.process is None:
            return np.full(len(x), self.centre), np.zeros(len(x))
        with one_thread():
            parts = [
                self.process.predict(x[i : i + BATCH], return_std=True)
                for i in range(0, len(x), BATCH)
            ]
        mean, sd = (np.concatenate(part) for part in zip(*parts, strict=True))
        variance = np.maximum(sd**2 - self._white, 0.0) * self.inflation
        return self.centre + self.scale * mean, self.scale**2 * variance

    @property
    def _white(self) -> float:
        return float(self.process.kernel_.k2.noise_level)

    @cached_property
    def left_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Each run as predicted from all others: the errors and their standard deviations, (n,).

        In closed form (Rasmussen & Williams 2006, section 5.4.2), at the fitted length scales.
        """
        if self.process is None:
            return np.zeros(len(self.y)), np.ones(len(self.y))
        from scipy.linalg import cho_solve

        inverse = cho_solve((self.process.L_, True), np.eye(len(self.y)))
        precision = np.diag(inverse)
        return self.process.alpha_ / precision, 1 / np.sqrt(precision)

    @cached_property
    def inflation(self) -> float:
        """Mean square of the standardised errors of left-out runs, if above 1."""
        error, sd = self.left_out
        return max(1.0, float(np.mean((error / sd) ** 2)))

    @property
    def explained(self) -> float:
        """Share of the variance between points that left-out predictions explain: Q²."""
        spread = float(np.var(self.y))
        return 1 - float(np.mean(self.left_out[0] ** 2)) / spread if spread else 1.0

    @property
    def beyond(self) -> float:
        """Share of left-out runs more than three standard deviations from their prediction."""
        error, sd = self.left_out
        return float(np.mean(np.abs(error / sd) > 3))

    @property
    def good(self) -> bool:
        """Whether left-out runs lie where they should: at most 5 % beyond three deviations.

        That is the most Pukelsheim's rule (1994) leaves room for. Where it fails, or inflation
        exceeds 2, the emulator is not to be trusted, widened or not.
        """
        return self.beyond <= 0.05 and self.inflation <= 2


def fit(x: np.ndarray, values: np.ndarray) -> Emulator | None:
    """Fit an emulator to ``values`` (points, replications) at ``x``, NaN where there is none.

    With two replications or more the noise is the variance within points, pooled; with one it is
    what the fit takes for noise. Returns None with fewer than ``FEWEST`` points.
    """
    there = ~np.isnan(values)
    kept = there.any(axis=1)
    if kept.sum() < FEWEST:
        return None
    x, values, n = x[kept], values[kept], there[kept].sum(axis=1)
    means = np.nansum(values, axis=1) / n
    centre, scale = float(means.mean()), float(means.std())
    freedom = int((n - 1).sum())
    within = float(np.nansum((values - means[:, None]) ** 2)) / freedom if freedom else np.nan
    if scale <= 1e-12 * max(1.0, abs(centre)):
        return Emulator(x, np.zeros(len(x)), centre, 1.0, within if freedom else 0.0, None)
    y = (means - centre) / scale
    with one_thread():
        process = _process(x, y)
    found = Emulator(x, y, centre, scale, within, process)
    if freedom:
        return found
    return Emulator(x, y, centre, scale, scale**2 * found._white, process)


def _process(x: np.ndarray, y: np.ndarray) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    inputs = x.shape[1]
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(
        np.ones(inputs), (0.05, 50.0), nu=2.5
    ) + WhiteKernel(0.05, (1e-8, 2.0))
    process = GaussianProcessRegressor(kernel, n_restarts_optimizer=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a scale at its bound is no fault
        return process.fit(x, y)
