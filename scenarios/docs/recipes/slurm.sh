#!/bin/sh
# Slurm: a million random walks on sixteen nodes. Submit it, and then the merge of what it writes:
#
#   job=$(sbatch --parsable slurm.sh)
#   sbatch --dependency=afterany:$job --wrap 'holdfast merge shard-*.json > all.json'
#
#SBATCH --job-name=holdfast-walk
#SBATCH --array=1-16
#SBATCH --cpus-per-task=1
#SBATCH --time=04:00:00

shard=$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT
exec holdfast walk --tree 'root(a(b(c,d),e),f(g(h)))' --faults request=3,interrupt=2,kill=2 \
    --seed 7 --iterations "${ITERATIONS:-1000000}" --trace-out "shard-$SLURM_ARRAY_TASK_ID.trace" \
    --json --shard "$shard" > "shard-$SLURM_ARRAY_TASK_ID.json"
