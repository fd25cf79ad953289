"""Tokenizes a column of a data set with Ray Data: token ids beside the other columns, as Parquet.

    python ray_tokenize.py 'corpus/*.parquet' tokens --workers 2
    RAY_ADDRESS=ray://head:10001 python ray_tokenize.py s3://bucket/corpus s3://bucket/tokens --workers 64

It needs `ray[data]`, and the library of sluice next to `sluice_arrow.py`, from where Ray copies both to its nodes; or at
the path in SLUICE_LIB on every node. JSON Lines are read if the names end in `.jsonl`.

Ray begins a failed job again from the start. `sluice tokenize --shard` goes on where it was.
"""

import argparse
import os

import pyarrow as pa
import ray

HERE = os.path.dirname(os.path.abspath(__file__))


class Encode:
    """What a worker does with each batch of rows. Ray makes one for each worker."""

    def __init__(self, encoding: str, column: str) -> None:
        from sluice_arrow import Tokenizer

        self.tokenizer = Tokenizer(encoding)
        self.column = column

    def __call__(self, batch: pa.Table) -> pa.Table:
        ids = self.tokenizer.encode(batch[self.column])
        return batch.drop_columns(self.column).append_column("input_ids", ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input", help="files, a folder or a pattern, as Ray takes them")
    parser.add_argument("out", help="the folder of the Parquet files")
    parser.add_argument("--encoding", default="o200k_base")
    parser.add_argument("--column", default="text")
    parser.add_argument("--workers", type=int, default=1, help="each takes one CPU")
    args = parser.parse_args()

    # Copied to every node, and on the path of every worker.
    environment = {"working_dir": HERE}
    if "SLUICE_LIB" in os.environ:
        environment["env_vars"] = {"SLUICE_LIB": os.environ["SLUICE_LIB"]}
    ray.init(runtime_env=environment)

    # Workers hold their CPUs for the whole job. Without one left, nothing reads the input, and the job hangs.
    cpus = int(ray.cluster_resources()["CPU"])
    if args.workers >= cpus:
        parser.error(f"argument --workers: {args.workers} of {cpus} CPUs leave none to read with")

    is_json = args.input.endswith(".jsonl")
    data = ray.data.read_json(args.input) if is_json else ray.data.read_parquet(args.input)
    encoded = data.map_batches(
        Encode,
        batch_format="pyarrow",
        batch_size=2048,
        compute=ray.data.ActorPoolStrategy(size=args.workers),
        num_cpus=1,
        fn_constructor_args=(args.encoding, args.column),
    )
    encoded.write_parquet(args.out)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
