"""Which bundle to try next: all of them where there are few, else by an evolutionary search."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from reformsim.experiment.bundles import NOTHING, Bundle, Space
from reformsim.experiment.executors import ExecutorError

if TYPE_CHECKING:
    from optuna.trial import Trial

#: Bundles of a generation, and in how many draws for each of them a new bundle must turn up.
GENERATION, DRAWS = 20, 50


class Proposals(Protocol):
    """Proposes bundles, and is told what came of them."""

    def ask(self, most: int) -> list[Bundle]:
        """Return at most ``most`` bundles never proposed before; empty where there are no more."""

    def tell(self, bundle: Bundle, values: Sequence[float]) -> None:
        """Take the objectives of a proposed bundle, each the better the larger."""


def proposals(space: Space, objectives: int, most: int, seed: int) -> Proposals:
    """Return every bundle of the space where they are ``most`` or fewer, else a search.

    The same arguments, told the same values, propose the same bundles. Raises ExecutorError where
    a search is needed and Optuna is not installed.
    """
    return Every(space) if space.size() <= most else Evolution(space, objectives, seed)


class Every:
    """All bundles, once."""

    def __init__(self, space: Space) -> None:
        """Nothing is proposed yet."""
        self.left = list(space.every())

    def ask(self, most: int) -> list[Bundle]:
        """Return the next bundles."""
        found, self.left = self.left[:most], self.left[most:]
        return found

    def tell(self, bundle: Bundle, values: Sequence[float]) -> None:
        """Nothing depends on it."""


class Evolution:
    """NSGA-II (Deb et al. 2002), with more than three objectives NSGA-III (Deb & Jain 2014).

    A bundle is coded as ``at_most`` slots, each with a measure or none, and its level. The first
    generation begins with each measure alone, at its highest level. A bundle of which nothing is
    told (too dear, or not runnable) has no offspring.
    """

    def __init__(self, space: Space, objectives: int, seed: int) -> None:
        """Start a study in memory."""
        try:
            import optuna
        except ImportError:
            raise ExecutorError(
                f"a search among {space.size():,} bundles needs the optional extra: "
                "pip install 'reformsim[advise]'; or name fewer measures, or allow more bundles"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        kind: Any = optuna.samplers.NSGAIISampler
        if objectives > 3:
            kind = optuna.samplers.NSGAIIISampler
        self.study = optuna.create_study(
            directions=["maximize"] * objectives,
            sampler=kind(population_size=GENERATION, seed=seed),
        )
        self.space = space
        self.failed = optuna.trial.TrialState.FAIL
        self.proposed: dict[Bundle, Trial] = {}
        for name in space.measures:
            slots = {f"measure {i}": "" for i in range(space.at_most)} | {"measure 0": name}
            levels = {f"level {i}": max(space.levels) for i in range(space.at_most)}
            self.study.enqueue_trial(slots | levels)

    def ask(self, most: int) -> list[Bundle]:
        """Return a generation, or what is left of ``most``; fewer where nothing new turns up."""
        found: list[Bundle] = []
        size = min(most, GENERATION)
        for _ in range(DRAWS * size):
            trial = self.study.ask()
            bundle = self._bundle(trial)
            if bundle == NOTHING or bundle in self.proposed:
                self.study.tell(trial, state=self.failed)
                continue
            self.proposed[bundle] = trial
            found.append(bundle)
            if len(found) == size:
                break
        return found

    def tell(self, bundle: Bundle, values: Sequence[float]) -> None:
        """Let the bundle be a parent of the next generation, as good as it is."""
        self.study.tell(self.proposed[bundle], list(values))

    def _bundle(self, trial: "Trial") -> Bundle:
        levels: dict[str, float] = {}
        for i in range(self.space.at_most):
            name = trial.suggest_categorical(f"measure {i}", ("", *self.space.measures))
            level = trial.suggest_categorical(f"level {i}", self.space.levels)
            if name:
                levels[name] = max(level, levels.get(name, 0.0))
        return Bundle.of(levels)
