# The geometry of representations (Zavatone-Veth et al.): tasks in the plane, learned by networks of
# their own, and the study's networks between and around images.
include: "representations_common.smk"


if REPRESENTATIONS.planes:
    PLANE_GEOMETRY = KEYS.each("plane_geometry", PLANE_TASKS, planes=planes_json)
    JOINED_PLANES = KEYS.parameters("plane_tables", "plane_geometry", tasks=PLANE_TASKS)
    PLANE_EXPLORE = KEYS.parameters("plane_explore", "plane_tables")

    rule plane_geometry:
        output:
            expand(PLANE_PART, table=PLANE_TABLES, allow_missing=True),
        log:
            f"{RESULTS}/logs/plane_geometry/{{plane_task}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/plane_geometry/{{plane_task}}.tsv"
        priority: FIRST
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=2000,
        params:
            code=of_piece(PLANE_GEOMETRY, "code", "plane_task"),
            planes=of_piece(PLANE_GEOMETRY, "planes", "plane_task"),
        shell:
            "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1"
            " python -m hyperribbon.studies.representations.planes --task {wildcards.plane_task}"
            " --planes {params.planes:q} --output {output:q} --log {log:q}"

    rule plane_tables:
        input:
            [
                settled(f"plane_geometry {task}", PLANE_PART.format(table=table, plane_task=task))
                for table in PLANE_TABLES
                for task in PLANE_TASKS
            ],
        output:
            tables("plane_tables"),
        log:
            f"{RESULTS}/logs/plane_tables.log",
        benchmark:
            f"{RESULTS}/benchmarks/plane_tables.tsv"
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=1000,
        params:
            **JOINED_PLANES,
        shell:
            "python -m hyperribbon.studies.representations.plane_tables --parts {input:q}"
            " --output {output:q} --log {log:q}"

    rule plane_explore:
        input:
            settled("plane_tables", f"{RESULTS}/tables/plane_maps.csv"),
        output:
            page("plane_explore"),
        log:
            f"{RESULTS}/logs/plane_explore.log",
        benchmark:
            f"{RESULTS}/benchmarks/plane_explore.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=1000,
        params:
            **PLANE_EXPLORE,
        shell:
            "python -m hyperribbon.studies.representations.explore --maps {input:q}"
            " --output {output:q} --log {log:q}"


if REPRESENTATIONS.widths:
    WIDTH_GEOMETRY = KEYS.parameters(
        "width_geometry",
        widths=canonical_json(REPRESENTATIONS.widths.model_dump(mode="json")),
    )

    rule width_geometry:
        output:
            tables("width_geometry"),
        log:
            f"{RESULTS}/logs/width_geometry.log",
        benchmark:
            f"{RESULTS}/benchmarks/width_geometry.tsv"
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=2000,
        params:
            **WIDTH_GEOMETRY,
        shell:
            "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1"
            " python -m hyperribbon.studies.representations.widths --widths {params.widths:q}"
            " --output {output:q} --log {log:q}"


if SURVEYED:
    IMAGES = canonical_json(REPRESENTATIONS.images.model_dump(mode="json", exclude={"networks"}))
    IMAGE_GEOMETRY = KEYS.each(
        "image_geometry",
        SURVEYED,
        upstream=lambda id: [f"train {id}"],
        modules=lambda id: [network_code(SURVEYED[id])],
        images=lambda id: IMAGES,
    )
    SURVEYS = [f"{RESULTS}/representations/{id}" for id in SURVEYED]
    STORES += [path for survey in SURVEYS for path in both_files(survey)]
    IMAGE_TABLES = KEYS.parameters("image_tables", "image_geometry")

    rule image_geometry:
        input:
            predictions=lambda wildcards: weights_of(wildcards.configuration),
            data=settled("prepare_data", f"{RESULTS}/data.json"),
        output:
            store=directory(f"{RESULTS}/representations/{{configuration}}.zarr"),
            manifest=f"{RESULTS}/representations/{{configuration}}.json",
        log:
            f"{RESULTS}/logs/image_geometry/{{configuration}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/image_geometry/{{configuration}}.tsv"
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=4000,
        params:
            code=of_piece(IMAGE_GEOMETRY, "code", "configuration"),
            upstream=of_piece(IMAGE_GEOMETRY, "upstream", "configuration"),
            images=IMAGES,
        shell:
            "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1"
            " python -m hyperribbon.studies.representations.images"
            " --predictions {input.predictions:q} --data {input.data:q} --images {params.images:q}"
            " --threads 1 --code {params.code} --output {output.store:q} --log {log:q}"

    rule image_tables:
        input:
            settled("image_geometry", [f"{survey}.json" for survey in SURVEYS]),
        output:
            tables("image_tables"),
        log:
            f"{RESULTS}/logs/image_tables.log",
        benchmark:
            f"{RESULTS}/benchmarks/image_tables.tsv"
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=2000,
        params:
            **IMAGE_TABLES,
        shell:
            "python -m hyperribbon.studies.representations.image_tables --surveys {input:q}"
            " --output {output:q} --log {log:q}"
