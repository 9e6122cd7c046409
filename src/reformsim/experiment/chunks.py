"""The form of results: a run is a row of a chunk, with all it told as rows within.

A chunk is one Parquet file. Its rows name their run by scenario and replication, which stay
what they are when replications or scenarios are added to an experiment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

#: What a run tells. ``kind`` says what a row is: an ``outcome`` of a place and period, a point
#: of a ``curve`` over months, the mean days of a ``wait`` by stage of a case, an outcome of a
#: ``community``, a ``daily`` count of a district, or a place and month of a ``panel``, with the
#: number of ``cases`` that it is a share of.
FORM = pa.schema(
    [
        ("kind", pa.string()),
        ("outcome", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("better", pa.string()),
        ("level", pa.string()),
        ("place", pa.string()),
        ("period", pa.string()),
        ("month", pa.int32()),
        ("day", pa.float64()),
    ]
)
WORDS = tuple(field.name for field in FORM if field.type == pa.string())

#: What names a run: its scenario and its replication.
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one run apart from its results; a failure is a record too."""

    scenario: str
    replication: int
    seed: int
    status: str  # "done" or "failed"
    stage: str = ""
    message: str = ""
    seconds: float = 0.0


RECORD = tuple(field.name for field in fields(Record))

CHUNK = pa.schema(
    [
        ("scenario", pa.string()),
        ("replication", pa.int32()),
        ("seed", pa.int64()),
        ("status", pa.string()),
        ("stage", pa.string()),
        ("message", pa.string()),
        ("seconds", pa.float64()),
        ("rows", pa.list_(pa.field("element", pa.struct(FORM)))),
    ]
)


def pack(runs: Sequence[tuple[Record, pa.Table | None]]) -> pa.Table:
    """Return runs as a chunk; ``rows`` in the columns of ``FORM``, None for a failed run."""
    rows = [FORM.empty_table() if table is None else table for _, table in runs]
    flat = pa.concat_tables([FORM.empty_table(), *rows]).combine_chunks()
    inner = pa.StructArray.from_arrays(
        [flat[name].combine_chunks() for name in FORM.names], fields=list(FORM)
    )
    ends = np.cumsum([0, *(len(table) for table in rows)])
    lists = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), inner).cast(CHUNK.types[-1])
    records = [asdict(record) for record, _ in runs]
    columns = [
        pa.array([record[name] for record in records], CHUNK.field(name).type) for name in RECORD
    ]
    return pa.Table.from_arrays([*columns, lists], schema=CHUNK)


def to_bytes(chunks: Iterable[pa.Table], code: str) -> bytes:
    """Return chunks as one Parquet file with page checksums; ``code`` says what made them."""
    table = pa.concat_tables(chunks).replace_schema_metadata({"code": code})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def from_bytes(data: bytes, rows: bool = True) -> pa.Table:
    """Read a chunk back, without what its runs told if not ``rows``. Raises ArrowException."""
    names = CHUNK.names if rows else list(RECORD)
    source = pa.BufferReader(data)
    table = pq.read_table(source, columns=names, page_checksum_verification=True)
    wanted = pa.schema([CHUNK.field(name) for name in names])
    if not table.schema.equals(wanted):
        raise pa.ArrowInvalid("its columns are not those of a chunk")
    return table


def keys(chunk: pa.Table) -> list[Key]:
    """Return what names the runs of a chunk."""
    replications = chunk["replication"].to_pylist()
    return list(zip(chunk["scenario"].to_pylist(), replications, strict=True))


def unfold(chunk: pa.Table, places: np.ndarray) -> pa.Table:
    """Return the rows within as a long table, preceded by the place of their run.

    Words are dictionaries. ``places`` has shape (runs,), of integers.
    """
    lists = chunk["rows"].combine_chunks()
    lengths = lists.value_lengths().to_numpy()
    inner = lists.flatten()
    columns = [
        column.dictionary_encode() if name in WORDS else column
        for name, column in zip(FORM.names, inner.flatten(), strict=True)
    ]
    place = pa.array(np.repeat(places, lengths))
    return pa.Table.from_arrays([place, *columns], names=["place_of_run", *FORM.names])
