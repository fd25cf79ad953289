"""Tokenizes a column of a data set with Spark's mapInArrow: token ids beside the other columns, as Parquet.

    spark-submit --py-files sluice_arrow.py --files libsluice.so spark_tokenize.py 'corpus/*.parquet' tokens

It needs `pyspark` 3.3 or newer and `pyarrow`. `--files` copies the library of sluice to where each executor runs, or
SLUICE_LIB names its path on every node. JSON Lines are read if the names end in `.jsonl`.

Spark does failed tasks again. Its output has as many files as it has tasks, in an order of its own.
"""

import argparse
import os
from typing import Iterator

import pyarrow as pa
from pyspark import SparkFiles
from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, IntegerType, StructField, StructType


class Encode:
    """What a task does with its batches of rows."""

    def __init__(self, encoding: str, column: str) -> None:
        self.encoding = encoding
        self.column = column

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        copied = SparkFiles.get("libsluice.so")
        if os.path.exists(copied):
            os.environ.setdefault("SLUICE_LIB", copied)
        from sluice_arrow import Tokenizer

        tokenizer = Tokenizer(self.encoding)
        for batch in batches:
            ids = tokenizer.encode(batch[self.column])
            kept = [name for name in batch.schema.names if name != self.column]
            yield pa.RecordBatch.from_arrays([*(batch[name] for name in kept), ids], [*kept, "input_ids"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input", help="files, a folder or a pattern, as Spark takes them")
    parser.add_argument("out", help="the folder of the Parquet files")
    parser.add_argument("--encoding", default="o200k_base")
    parser.add_argument("--column", default="text")
    args = parser.parse_args()

    spark = SparkSession.builder.appName("tokenize").getOrCreate()
    is_json = args.input.endswith(".jsonl")
    data = spark.read.json(args.input) if is_json else spark.read.parquet(args.input)
    kept = [field for field in data.schema.fields if field.name != args.column]
    schema = StructType([*kept, StructField("input_ids", ArrayType(IntegerType()))])
    data.mapInArrow(Encode(args.encoding, args.column), schema).write.parquet(args.out)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
