//! The recipes in `scenarios/docs/recipes`: their commands run, with the variables that the systems
//! set for which they are.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn recipe(name: &str) -> String {
    let path = Path::new(SCENARIOS).join("docs/recipes").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&recipe(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A folder to run in: some of the cases, and a `holdfast` whose suite takes a second.
fn machine() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let cases = folder.path().join("scenarios/cases");
    fs::create_dir_all(&cases).expect("the folder can be written");
    for name in ["ctrlc-idle.toml", "nested-ctrlc.toml", "leaf-crash.toml"] {
        let from = Path::new(SCENARIOS).join("cases").join(name);
        fs::copy(from, cases.join(name)).expect("the case is there");
    }
    let script = "#!/bin/sh\ncase $1 in check) set -- \"$@\" --max-states 300;; esac\n";
    let script = format!("{script}exec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_holdfast"));
    let command = folder.path().join("bin/holdfast");
    fs::create_dir(folder.path().join("bin")).expect("the folder can be written");
    fs::write(&command, script).expect("the folder can be written");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&command, executable).expect("the file was made here");
    folder
}

/// Runs a script there, with these variables.
fn run(machine: &TempDir, script: &str, variables: &[(&str, String)]) -> Output {
    let path = std::env::var("PATH").expect("there is a PATH");
    let mut sh = Command::new("sh");
    sh.args(["-e", "-c", script]).current_dir(machine.path());
    sh.env("PATH", format!("{}:{path}", machine.path().join("bin").display()));
    sh.envs(variables.iter().map(|(name, value)| (*name, value)));
    sh.output().expect("there is a shell")
}

/// What the merge of all shards says is what one machine says, exit code included.
fn merges_to(machine: &TempDir, merge: &str, whole: &str, variables: &[(&str, String)]) {
    let merged = run(machine, merge, &[]);
    let alone = run(machine, whole, variables);
    let said = String::from_utf8_lossy(&merged.stderr);
    assert_eq!(merged.status.code(), alone.status.code(), "{said}");
    let all = fs::read_to_string(machine.path().join("all.json")).expect("it was merged");
    let alone = String::from_utf8(alone.stdout).expect("JSON is UTF-8");
    assert!(alone.lines().count() > 3, "{alone}");
    let timeless = |text: &str| {
        let keep = |part: &&str| !part.contains("seconds\":") && !part.contains("per-second\":");
        text.split([',', '\n']).filter(keep).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(timeless(&all), timeless(&alone));
}

/// The scripts of the steps of a job.
fn scripts(job: &Value) -> Vec<String> {
    let steps = job["steps"].as_array().expect("a job has steps");
    let scripts = steps.iter().filter_map(|step| step["run"].as_str());
    scripts.filter(|script| !script.starts_with("cargo install")).map(str::to_owned).collect()
}

#[test]
fn the_matrix_of_a_ci_runs_every_shard_and_merges_them() {
    let (recipe, machine) = (yaml("ci-matrix.yml"), machine());
    let job = &recipe["jobs"]["shard"];
    let shards = job["strategy"]["matrix"]["shard"].as_array().expect("a list of shards");
    let [script] = &scripts(job)[..] else { panic!("one step runs the shard") };
    for shard in shards {
        let script = script.replace("${{ matrix.shard }}", &shard.to_string());
        assert!(!script.contains("${{"), "{script}");
        let output = run(&machine, &script, &[]);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 13)), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let [merge] = &scripts(&recipe["jobs"]["merge"])[..] else { panic!("one step merges") };
    merges_to(&machine, merge, "holdfast run scenarios/cases --on model --json", &[]);
}

#[test]
fn the_array_of_slurm_runs_every_shard() {
    let (recipe, machine) = (recipe("slurm.sh"), machine());
    let array = recipe.lines().find_map(|line| line.strip_prefix("#SBATCH --array=1-"));
    let count: u32 = array.expect("an array from 1 on").parse().expect("a number");
    let iterations = || ("ITERATIONS", "300".to_owned());
    for task in 1..=count {
        let variables = [
            ("SLURM_ARRAY_TASK_ID", task.to_string()),
            ("SLURM_ARRAY_TASK_MIN", "1".to_owned()),
            ("SLURM_ARRAY_TASK_MAX", count.to_string()),
            ("SLURM_ARRAY_TASK_COUNT", count.to_string()),
            iterations(),
        ];
        let output = run(&machine, &recipe, &variables);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (_, merge) = recipe.split_once("--wrap '").expect("the merge is a job");
    let (merge, _) = merge.split_once('\'').expect("the quote is closed");
    let whole =
        recipe.replace("--json --shard \"$shard\" > \"shard-$SLURM_ARRAY_TASK_ID.json\"", "--json");
    assert_ne!(whole, recipe);
    merges_to(&machine, merge, &whole, &[iterations()]);
}

#[test]
fn the_indexed_job_of_kubernetes_runs_every_shard() {
    let (text, recipe, machine) = (recipe("kubernetes.yaml"), yaml("kubernetes.yaml"), machine());
    let (job, pod) = (&recipe["spec"], &recipe["spec"]["template"]["spec"]);
    assert_eq!((&recipe["kind"], &job["completionMode"]), (&"Job".into(), &"Indexed".into()));
    let count = job["completions"].as_u64().expect("a number");
    let command = pod["containers"][0]["command"].as_array().expect("a list");
    let [Value::String(shell), Value::String(option), Value::String(script)] = &command[..] else {
        panic!("a script for a shell: {command:?}");
    };
    assert_eq!((shell.as_str(), option.as_str()), ("sh", "-c"));
    assert!(script.contains(&format!("/{count} ")), "as many shards as completions: {script}");
    let volume = &pod["volumes"][0]["name"];
    assert_eq!(&pod["containers"][0]["volumeMounts"][0]["name"], volume);
    for index in 0..count {
        let output = run(&machine, script, &[("JOB_COMPLETION_INDEX", index.to_string())]);
        assert!(matches!(output.status.code(), Some(0 | 13)), "{output:?}");
    }
    let merge = text.lines().find_map(|line| line.strip_prefix("# When all have ended: "));
    merges_to(
        &machine,
        merge.expect("the merge is told"),
        "holdfast check --json --threads 2",
        &[],
    );
}

#[test]
fn the_partitions_of_nextest_are_those_of_the_matrix() {
    let recipe = yaml("nextest.yml");
    let job = &recipe["jobs"]["tests"];
    let partitions = job["strategy"]["matrix"]["partition"].as_array().expect("a list");
    let [script] = &scripts(job)[..] else { panic!("one step tests") };
    let numbers: Vec<_> = partitions.iter().filter_map(Value::as_u64).collect();
    assert_eq!(numbers, (1..=partitions.len() as u64).collect::<Vec<_>>());
    let partition = format!("--partition slice:${{{{ matrix.partition }}}}/{}", numbers.len());
    assert!(script.starts_with("cargo nextest run") && script.ends_with(&partition), "{script}");
}

#[test]
fn the_page_names_every_recipe() {
    let page =
        fs::read_to_string(Path::new(SCENARIOS).join("docs/SHARDS.md")).expect("it is there");
    let folder = fs::read_dir(Path::new(SCENARIOS).join("docs/recipes")).expect("it is there");
    for file in folder {
        let name = file.expect("it can be read").file_name().into_string().expect("it is UTF-8");
        assert!(page.contains(&format!("(recipes/{name})")), "{name} is not on the page");
    }
}
