# What the rules of linear regression share.
LINEAR = STUDY.linear
LINEAR_DATA = [*LINEAR.experiments.data, "sloppy"] if LINEAR.experiments else []
SAMPLES = f"{RESULTS}/linear/{{linear_data}}.npz"
EXPERIMENT_TABLES = list(step_named("linear_tables")[1].tables)
EXPERIMENT_PART = f"{RESULTS}/linear/{{table}}-{{linear_data}}.csv"


wildcard_constraints:
    linear_data="|".join(LINEAR_DATA),


def diagram_mb(threads):
    """Memory of a phase diagram: per thread, several copies of the matrices of all T for a draw."""
    return 1000 + threads * 8 * 8 * LINEAR.samples**2 * LINEAR.steps.number // 10**6


def experiment_json(name):
    """The settings that determine the trainings on a data set, without those of the others."""
    others = {"data"} if name == "sloppy" else {"data", "decay"}
    section = LINEAR.experiments.model_dump(mode="json", exclude=others)
    return canonical_json(
        {"experiments": section, "fraction": LINEAR.fraction, "seed": LINEAR.seed}
    )


def samples_of(wildcards):
    """Samples of a data set, unless the job draws them itself."""
    name = wildcards.linear_data
    if name == "sloppy":
        return []
    return settled(f"linear_inputs {name}", SAMPLES.format(linear_data=name))
