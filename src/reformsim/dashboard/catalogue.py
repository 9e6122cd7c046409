"""What can be picked: cities, bundles of measures in files, scenarios of results at hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from reformsim.city import CityConfig
from reformsim.city.places import unit_names
from reformsim.config import configs, load_yaml, resolve, validate
from reformsim.declared import plain
from reformsim.experiment.kinds import Difference
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store, StoreError
from reformsim.report.sentences import Both
from reformsim.scenario import Governance, city_residents

#: The way of governing without any measure, there without a file too.
BASELINE = "block-separated"


@dataclass(frozen=True)
class Known:
    """A bundle of measures that is stored: its key, its names, what it changes."""

    key: str
    name: Both
    change: Difference


@dataclass(frozen=True)
class Catalogue:
    """Cities and bundles of the files at hand, and the folder of results."""

    cities: dict[str, CityConfig]
    bundles: dict[str, Known]
    results: Path

    @classmethod
    def load(cls, results: Path, own_cities: list[Path]) -> "Catalogue":
        """Read the files of the nearest folder ``configs``, and ``own_cities``.

        Raises ConfigError where one of them is not valid.
        """
        here = Path.cwd()
        paths = configs(here, "cities") | {path.stem: path for path in own_cities}
        cities = {name: validate(load_yaml(path), CityConfig) for name, path in paths.items()}
        bundles = {BASELINE: Known(BASELINE, Both("条块分治", "block-separated"), Difference())}
        for name, path in sorted(configs(here, "governance").items()):
            read = validate(resolve(load_yaml(path), Governance), Governance)
            bundles[name] = Known(
                name, Both(read.name_zh, plain(name)), Difference(reform=read.measures)
            )
        return cls(_by_size(cities or {"chengdu": CityConfig()}), bundles, results)

    def stored(self) -> list[str]:
        """Return the names of the results directories in the folder, the newest first."""
        paths = self.results.glob("*/manifest.json")
        return [path.parent.name for path in sorted(paths, key=_age)]

    def experiment(self, name: str) -> Experiment:
        """Return the experiment of a results directory. Raises StoreError, naming it."""
        manifest = Store(self.results / name).manifest()
        try:
            return Experiment.model_validate(manifest["experiment"])
        except ValidationError:
            raise StoreError(f"{self.results / name}: made with another version") from None

    def known(self) -> dict[str, Known]:
        """Return all stored bundles by key: those of files, then scenarios of results."""
        found = dict(self.bundles)
        for name in self.stored():
            try:
                experiment = self.experiment(name)
            except StoreError:
                continue
            found |= {known.key: known for known in _scenarios(experiment, name)}
        return found


def districts(city: CityConfig) -> list[Both]:
    """Return the districts of a city."""
    names = unit_names(city)
    return [Both(zh, en) for en, zh in zip(names[::2], names[1::2], strict=True)]


def _scenarios(experiment: Experiment, directory: str) -> Iterator[Known]:
    title = Both(experiment.title_zh, experiment.title)
    for name, change in experiment.scenarios.items():
        yield Known(
            f"{directory}/{name}",
            Both(
                f"{experiment.zh.get(name, plain(name))}（{directory}：{title.zh}）",
                f"{plain(name)} ({directory}: {title.en})",
            ),
            Difference(
                reform=experiment.reform + change.reform,
                stations=change.stations or experiment.stations,
                premises=change.premises or experiment.premises,
            ),
        )


def _by_size(cities: dict[str, CityConfig]) -> dict[str, CityConfig]:
    return dict(sorted(cities.items(), key=lambda item: city_residents(item[1])[0]))


def _age(path: Path) -> float:
    return -path.stat().st_mtime
