#!/bin/bash
# A corpus tokenized by a Slurm array: task i of n does the units k with k mod n = i. Tasks need no contact with each other,
# only a file system that all nodes can write. The task that commits the last unit writes manifest.json.
#
#   sbatch --export=ALL,CORPUS=/data/corpus,TOKENS=/data/tokens examples/cluster/slurm.sh
#
#SBATCH --job-name=tokenize
#SBATCH --array=0-2
#SBATCH --cpus-per-task=2
#SBATCH --mem=1G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@60

srun sluice tokenize "$CORPUS" --out "$TOKENS" --encoding o200k_base --shard auto \
  --threads "$SLURM_CPUS_PER_TASK" --bad-lines max=1000 --quiet
code=$?

# 4: told to stop a minute before the time limit. What is committed stays, and the task goes on in its next turn.
if [ "$code" -eq 4 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
