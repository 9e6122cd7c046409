"""Over how much of the space of uncertainties a result holds, and what decides where."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm, rankdata

from reformsim.experiment.analysis import LEVEL, Trait, holm, interval
from reformsim.experiment.responses import Response
from reformsim.experiment.sampling import Sample

Z = float(ndtri((1 + LEVEL) / 2))
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """One headline of one scenario against its reference, over all sampled worlds.

    ``share`` is the share of the ``n`` points at which the scenario is better (higher, where
    neither is better), ``worse`` that at which it is worse (lower), each with its Wilson interval:
    points are random, one world each; the rest are ties. Where points
    are run once, a win may be luck: ``noise`` is the share of the variance between single runs
    at different points that chance alone makes, NaN where no point is run twice, and ``agree``
    the share of repeated points at which the first run has the sign of the mean of the others.
    ``missing`` counts points without a contrast, by a failed run or a value that does not exist.
    """

    outcome: str
    unit: str
    better: str
    scenario: str
    reference: str
    n: int
    missing: int
    share: float
    share_low: float
    share_high: float
    worse: float
    worse_low: float
    worse_high: float
    mean: float
    low: float
    high: float
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float
    noise: float
    noise_low: float
    noise_high: float
    agree: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """An uncertainty that explains a response: its partial rank correlation and interval.

    ``holm`` is the p-value after Holm's correction for all uncertainties of that response.
    """

    outcome: str
    scenario: str
    uncertainty: str
    n: int
    correlation: float
    low: float
    high: float
    holm: float


def robustness(response: Response) -> Robustness:
    """Say over what share of its points a contrast is on the better side, and by how much."""
    # One run a point: points that are run more often would otherwise be less noisy than others.
    single = response.values[:, 0]
    there = single[~np.isnan(single)]
    n = len(there)
    sign = -1.0 if response.trait.better == "lower" else 1.0
    wins = int((sign * there > 0).sum())
    losses = int((sign * there < 0).sum())
    low, high = wilson(wins, n)
    worse_low, worse_high = wilson(losses, n)
    _, mean, mean_low, mean_high = (x.item() for x in interval(there))
    quantiles = np.quantile(there, QUANTILES) if n else np.full(len(QUANTILES), np.nan)
    names = (f"q{round(100 * q):02d}" for q in QUANTILES)
    noise, noise_low, noise_high = noise_share(response.values)
    return Robustness(
        outcome=response.trait.outcome,
        unit=response.trait.unit,
        better=response.trait.better,
        scenario=response.scenario,
        reference=response.reference,
        n=n,
        missing=len(single) - n,
        share=wins / n if n else math.nan,
        share_low=low,
        share_high=high,
        worse=losses / n if n else math.nan,
        worse_low=worse_low,
        worse_high=worse_high,
        mean=mean,
        low=mean_low,
        high=mean_high,
        **dict(zip(names, map(float, quantiles), strict=True)),
        noise=noise,
        noise_low=noise_low,
        noise_high=noise_high,
        agree=_agreement(response.values),
    )


def wilson(wins: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share: Wilson (1927). NaN for n = 0."""
    if n == 0:
        return math.nan, math.nan
    share, z2 = wins / n, Z * Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def noise_share(values: np.ndarray, draws: int = 400) -> tuple[float, float, float]:
    """Return the share of the variance between single runs that is noise, with its interval.

    ``values`` (points, replications) holds NaN for what is not run. The variance within points
    is pooled over those run twice or more; the variance in all is that of the first runs of all
    points. The 95 % interval is a percentile bootstrap over points.
    """
    there = ~np.isnan(values)
    values, there = values[there[:, 0]], there[there[:, 0]]
    n = there.sum(axis=1)
    means = np.where(there, values, 0.0).sum(axis=1) / n
    squares = np.where(there, (values - means[:, None]) ** 2, 0.0).sum(axis=1)
    repeated = np.flatnonzero(n > 1)
    if len(repeated) < 2:
        return math.nan, math.nan, math.nan
    first, freedom = values[:, 0], n - 1

    def share(points: np.ndarray, again: np.ndarray) -> np.ndarray:
        whole = first[points].var(axis=-1, ddof=1)
        within = squares[again].sum(axis=-1) / freedom[again].sum(axis=-1)
        return np.divide(within, whole, out=np.full(whole.shape, np.nan), where=whole > 0)

    rng = np.random.default_rng(0)
    drawn = share(
        rng.integers(len(first), size=(draws, len(first))),
        repeated[rng.integers(len(repeated), size=(draws, len(repeated)))],
    )
    value = float(share(np.arange(len(first)), repeated))
    if math.isnan(value):
        return math.nan, math.nan, math.nan
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, (tail, 1 - tail))
    return value, float(low), float(high)


def drivers(response: Response, sample: Sample) -> list[Driver]:
    """Return which uncertainties explain a response, the strongest first.

    Partial rank correlation: the correlation of what the ranks of the response and of one
    uncertainty have after the ranks of all others are regressed out (Iman & Conover 1979;
    Marino et al. 2008). It sees monotone influence only. Its interval is Fisher's, with the
    factor 1.06 that Fieller, Hartley & Pearson (1957) give for ranks. Uncertainties that do not
    vary are left out. Returns nothing with fewer than ten points more than uncertainties, or for
    a response that does not vary.
    """
    y = response.means()
    there = ~np.isnan(y)
    x, y = sample.values[there], y[there]
    varying = np.flatnonzero(np.ptp(x, axis=0) > 0) if len(x) else np.arange(0)
    x, names = x[:, varying], [list(sample.bounds)[i] for i in varying]
    n, k = x.shape
    if n - k < 10 or np.ptp(y) == 0:
        return []
    ranks = rankdata(np.column_stack([x, y]), axis=0)
    # where one uncertainty decides alone the matrix is singular, but for this
    ridge = 1e-10 * np.eye(k + 1)
    inverse = np.linalg.inv(np.corrcoef(ranks, rowvar=False) + ridge)
    found = -inverse[:k, k] / np.sqrt(np.diag(inverse)[:k] * inverse[k, k])
    error = math.sqrt(1.06 / (n - k - 2))
    z = np.arctanh(np.clip(found, -1 + 1e-12, 1 - 1e-12))
    adjusted = holm(2 * norm.sf(np.abs(z) / error))
    return [
        Driver(
            outcome=response.trait.outcome,
            scenario=response.scenario,
            uncertainty=names[i],
            n=n,
            correlation=float(found[i]),
            low=float(np.tanh(z[i] - Z * error)),
            high=float(np.tanh(z[i] + Z * error)),
            holm=float(adjusted[i]),
        )
        for i in np.argsort(-np.abs(found), kind="stable")
    ]


def _agreement(values: np.ndarray) -> float:
    """Return how often the first run of a repeated point has the sign of the mean of the others."""
    there = ~np.isnan(values)
    rest = there[:, 1:].sum(axis=1)
    rows = there[:, 0] & (rest > 0)
    if not rows.any():
        return math.nan
    others = np.where(there[:, 1:], values[:, 1:], 0.0).sum(axis=1)
    return float((np.sign(values[rows, 0]) == np.sign(others[rows])).mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Regret:
    """What choosing a bundle costs in one headline, against the best bundle of each world.

    Over the ``n`` points at which all bundles have a value. ``choice`` marks the bundle whose
    worst regret is smallest: Savage (1951). ``failed`` counts points at which this bundle has no
    value, which are no part of the regrets: a bundle that cannot be paid is not thereby good.
    """

    outcome: str
    unit: str
    scenario: str
    n: int
    failed: int
    mean: float
    q95: float
    worst: float
    choice: bool


def regrets(trait: Trait, values: dict[str, np.ndarray]) -> list[Regret]:
    """Return the regret of each bundle, given its values at all points, NaN where there is none.

    Empty where neither direction is better, with fewer than two bundles, or without a point that
    all have.
    """
    if trait.better == "neither" or len(values) < 2:
        return []
    table = np.column_stack(list(values.values()))
    whole = table[~np.isnan(table).any(axis=1)] * (-1.0 if trait.better == "lower" else 1.0)
    if not len(whole):
        return []
    regret = whole.max(axis=1, keepdims=True) - whole
    worst = regret.max(axis=0)
    return [
        Regret(
            outcome=trait.outcome,
            unit=trait.unit,
            scenario=name,
            n=len(whole),
            failed=int(np.isnan(values[name]).sum()),
            mean=float(regret[:, i].mean()),
            q95=float(np.quantile(regret[:, i], 0.95)),
            worst=float(worst[i]),
            choice=i == int(np.argmin(worst)),
        )
        for i, name in enumerate(values)
    ]
