# The runs of a plan on a cluster: `make reproduce ENGINE=snakemake PROFILE=slurm` (see profiles/README.md).
# The plan is computed once, by `python -m recprune.study plan`: here, and in every job on a node, a file is read.
import json

with open(config["jobs"], encoding="utf-8") as file:
    JOBS = json.load(file)  # stamp -> id, needs, group, mb, minutes


rule all:
    input: [stamp for stamp, job in JOBS.items() if job["wanted"]]


rule run:
    output: "{run}.done"
    # as order-only prerequisites of make: they order, they never date
    input: lambda wildcards: [ancient(need) for need in JOBS[f"{wildcards.run}.done"]["needs"]]
    params: id=lambda wildcards: JOBS[f"{wildcards.run}.done"]["id"]
    group: lambda wildcards: JOBS[f"{wildcards.run}.done"]["group"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * JOBS[f"{wildcards.run}.done"]["mb"],
        runtime=lambda wildcards, attempt: attempt * JOBS[f"{wildcards.run}.done"]["minutes"],
        slot=1,  # runs of a group go one after the other
    shell: "{config[python]} -m recprune.study run {config[plan]} {params.id}"
