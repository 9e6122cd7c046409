"""Begin or resume in a directory: what it holds, what it may take, what must be said of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from reformsim.experiment import environment, files, plan
from reformsim.experiment.files import StoreError, digest
from reformsim.experiment.plan import SWEEP, Keep, Plan
from reformsim.experiment.store import Store

Tell = Callable[[str], None]


def begin(store: Store, asked: Plan, code: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of a directory for ``asked``: the one there is, or a new one.

    Nothing is written. Raises StoreError where the directory was begun for something else, with
    what is different: field, before, after.
    """
    if not store.begun():
        return {
            "name": asked.name,
            "experiment": asked.about,
            "keep": asked.keep or ("all" if len(asked.runs) < SWEEP else "headlines"),
            "config_hash": None,
            "codes": {},
            "commit": environment.commit(),
            "machine": environment.machine(),
            "started": now(),
            "finished": None,
            "failed": None,
        }
    manifest = store.manifest()
    changed = []
    if manifest["name"] != asked.name:
        changed.append(f"name: {manifest['name']} -> {asked.name}")
    keep: Keep | None = asked.keep
    if keep not in (None, manifest["keep"]):
        changed.append(f"keep: {manifest['keep']} -> {keep}")
    for other in manifest["codes"].values():
        if other["model"]["name"] != code["model"]["name"]:
            changed.append(f"model: {other['model']['name']} -> {code['model']['name']}")
    if changed:
        raise _refused(store, changed)
    return manifest


def settle_design(store: Store, asked: Plan, manifest: dict[str, Any], tell: Tell) -> bytes:
    """Return the design to write, after comparing it with the one that is there.

    A damaged design is told and written again if it was the same. Raises StoreError with what is
    different where a run that was planned would now do something else.
    """
    text = plan.written(asked)
    if manifest["config_hash"] is None or (
        store.design_path.exists() and store.design_path.read_bytes() == text
    ):
        return text
    try:
        then = store.design()
    except StoreError as error:
        if manifest["config_hash"] != digest(text):
            raise
        tell(f"{error}; written again")
        return text
    changed = plan.changes(then, plan.read(text))
    if changed:
        raise _refused(store, changed)
    return text


def settle_code(
    store: Store, manifest: dict[str, Any], code: dict[str, Any], todo: int, other: bool, tell: Tell
) -> None:
    """Add the code at hand to the manifest, in place.

    Where it is not the code that made the runs there are: told if there is nothing ``todo`` or
    ``other`` code is wanted, else raises StoreError with what is different.
    """
    mark = environment.mark(code)
    if mark not in manifest["codes"]:
        if manifest["codes"]:
            *_, then = manifest["codes"].values()
            changed = "; ".join(_shortened(list(plan.differences(then, code))))
            if todo and not other:
                raise StoreError(
                    f"{store.directory} was begun with other code, so that {todo} further runs "
                    "might not go with those it holds: use a new directory (-o), or --other-code "
                    f"to mix them all the same. What differs: {changed}"
                )
            tell(f"{store.directory}: its runs were made with other code ({changed})")
        if todo:
            manifest["codes"][mark] = code
    elif len(manifest["codes"]) > 1:
        tell(f"{store.directory}: its runs were made with {len(manifest['codes'])} states of code")


def write(store: Store, asked: Plan, manifest: dict[str, Any], design: bytes) -> None:
    """Write design and manifest, in this order, if they are not there as they are to be."""
    before = store.manifest() if store.begun() else None
    after = {**manifest, "experiment": asked.about, "config_hash": digest(design)}
    if not store.design_path.exists() or store.design_path.read_bytes() != design:
        files.replace(store.design_path, design)
    if before != after:
        store.write_manifest(after)


def now() -> str:
    """Return the time of day for a manifest."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _refused(store: Store, changed: list[str]) -> StoreError:
    return StoreError(
        f"{store.directory} was started with another config; use a new directory (-o) or remove "
        "it. What differs: " + "; ".join(_shortened(changed))
    )


def _shortened(changed: list[str], most: int = 8) -> list[str]:
    more = [f"and {len(changed) - most} more"] if len(changed) > most else []
    return changed[:most] + more
