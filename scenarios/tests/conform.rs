//! Recorded runs: what the model has done conforms, what was tampered with does not.

#[path = "support/recorded.rs"]
mod recorded;

use holdfast_model::protocol::{ActorId, Answer, Cause, DebugMode, PolicyName, Signal};
use holdfast_model::tree::{Member, Start, Tree};
use holdfast_model::world::{Budget, Config, Deed, Fault, Placement};
use holdfast_scenarios::conform::cast::{CastError, group};
use holdfast_scenarios::conform::record::parse;
use holdfast_scenarios::conform::verdict::{Difference, Finding, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use recorded::{Files, Recorder, two_prompts, write};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn check(files: &Files) -> Result<Verdict, CastError> {
    let records = files.iter().filter_map(|(name, text)| {
        parse(name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
    });
    let mut casts = group(records.collect())?;
    assert_eq!(casts.len(), 1, "one tree");
    Ok(Verdict::of(casts.remove(0)))
}

fn conforms(run: &Recorder) -> Verdict {
    let verdict = check(&run.files()).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms, "{:#?}", run.files());
    verdict
}

fn differs(files: &Files) -> Difference {
    match check(files).expect("the records make a run").finding {
        Finding::Differs(difference) => difference,
        other => panic!("{other:?}: {files:#?}"),
    }
}

/// Changes the lines of one file.
fn tampered(files: &Files, name: &str, change: impl Fn(&mut Vec<String>)) -> Files {
    let mut files = files.clone();
    let text = files.get_mut(name).expect("such a file");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    *text = lines.join("\n") + "\n";
    files
}

fn place_of(lines: &[String], words: &[&str]) -> usize {
    let has = |line: &String| words.iter().all(|word| line.contains(word));
    lines.iter().position(has).unwrap_or_else(|| panic!("no line with {words:?}: {lines:#?}"))
}

#[test]
fn a_run_with_two_prompts_conforms_and_replays() {
    let verdict = conforms(&two_prompts());
    assert_eq!(verdict.notes, Vec::<String>::new());
    let trace = verdict.trace();
    let text = trace.to_text();
    let read = holdfast_model::check::trace::Trace::from_text(&text).expect("it is read back");
    assert_eq!(read, trace);
    let config = read.config().expect("its header is complete");
    assert_eq!(&config, verdict.cast.topology.config());
    assert_eq!(config.tree.to_string(), "root(mid?(leaf?),sib?)");
}

#[test]
fn a_swapped_grant_is_rejected() {
    let files = two_prompts().files();
    // The second grant of the root is said to be the first once more.
    let swapped = tampered(&files, "root.jsonl", |lines| {
        let grant = place_of(lines, &["grant", "\"actor\":3"]);
        lines[grant] = lines[grant].replace("\"actor\":3,\"serial\":0", "\"actor\":2,\"serial\":0");
    });
    let difference = differs(&swapped);
    assert!(difference.place.starts_with("root.jsonl:"), "{difference:#?}");
    assert_ne!(difference.recorded, difference.expected);
    // The same in the record of the actor that reads it.
    let swapped = tampered(&files, "root~sib.jsonl", |lines| {
        let grant = place_of(lines, &["grant"]);
        lines[grant] = lines[grant].replace("\"actor\":3,\"serial\":0", "\"actor\":2,\"serial\":0");
    });
    let difference = differs(&swapped);
    assert!(difference.place.starts_with("root~sib.jsonl:"), "{difference:#?}");
    let why = difference.why.expect("the input is wrong");
    assert_eq!(why, "the next message from root is Grant for request 0 of sib");
}

#[test]
fn a_dropped_release_is_rejected() {
    let files = two_prompts().files();
    for (file, words) in [
        ("root.jsonl", &["\"baton-closed\"", "\"actor\":2"]),
        ("root.jsonl", &["\"say\":\"done\"", "\"actor\":2"]),
        ("root~mid.jsonl", &["\"say\":\"done\"", "\"actor\":2"]),
        ("root~mid~leaf.jsonl", &["\"answered\"", "\"actor\":2"]),
    ] {
        let dropped = tampered(&files, file, |lines| {
            lines.remove(place_of(lines, words));
        });
        differs(&dropped);
    }
}

#[test]
fn any_single_line_dropped_is_rejected() {
    let files = two_prompts().files();
    for (file, text) in &files {
        for number in 1..text.lines().count() {
            let dropped = tampered(&files, file, |lines| {
                lines.remove(number);
            });
            let Ok(verdict) = check(&dropped) else { continue };
            // A record without its last line is one of an actor that ended otherwise; it says so.
            if number + 1 == text.lines().count() {
                assert_eq!(verdict.notes.len(), 1, "{file}: {:?}", verdict.finding);
            } else {
                let differs = matches!(verdict.finding, Finding::Differs(_));
                assert!(differs, "{file}:{} dropped: {dropped:#?}", number + 1);
            }
        }
    }
}

#[test]
fn a_reordered_message_is_rejected() {
    let mut run = Recorder::free("root(mid)");
    let mid = run.actor("mid");
    run.settle();
    run.then(Deed::Pause { actor: mid });
    run.then(Deed::Pause { actor: mid });
    run.then(Deed::Answer { actor: mid, answer: Answer::Continue });
    conforms(&run);
    let swapped = tampered(&run.files(), "root.jsonl", |lines| {
        let first = place_of(lines, &["want", "\"serial\":0"]);
        let second = place_of(lines, &["want", "\"serial\":1"]);
        let (one, other) = (lines[first].clone(), lines[second].clone());
        lines[first] =
            other.replace("\"outputs\":[]", &one[one.find("\"outputs\"").unwrap()..one.len() - 1]);
        lines[second] = one.split("\"outputs\"").next().unwrap().to_owned() + "\"outputs\":[]}";
    });
    let difference = differs(&swapped);
    let why = difference.why.expect("the input is wrong");
    assert_eq!(why, "the next message from mid is Want for request 0 of mid");
}

#[test]
fn an_altered_output_is_rejected_with_what_the_model_does() {
    let files = two_prompts().files();
    let altered = tampered(&files, "root~mid.jsonl", |lines| {
        let relayed = place_of(lines, &["\"say\":\"want\""]);
        let outputs = lines[relayed].find("\"outputs\"").unwrap();
        lines[relayed].truncate(outputs);
        lines[relayed].push_str("\"outputs\":[{\"output\":\"sweep\"}]}");
    });
    let difference = differs(&altered);
    assert_eq!(difference.recorded, ["looks for children that nobody knows"]);
    assert_eq!(difference.expected, ["sends Want for request 0 of leaf to root"]);
}

#[test]
fn a_missing_file_is_named() {
    let mut files = two_prompts().files();
    files.remove("root~mid.jsonl");
    let error = check(&files).expect_err("a supervisor is missing").to_string();
    assert_eq!(
        error,
        "root~mid~leaf.jsonl:1: it names as its supervisor process 1, of which there is no record"
    );
    let mut files = two_prompts().files();
    files.remove("root~sib.jsonl");
    let error = check(&files).expect_err("a leaf is missing").to_string();
    assert!(error.contains("has a message from process 3"), "{error}");
    let mut files = two_prompts().files();
    files.remove("root.jsonl");
    assert!(check(&files).expect_err("the root is missing").to_string().contains("the root 0"));
}

#[test]
fn a_torn_last_line_is_the_death_of_its_actor() {
    let mut run = Recorder::free("root(mid)");
    let mid = run.actor("mid");
    run.settle();
    run.then(Deed::Pause { actor: mid });
    run.then(Deed::Kill { actor: mid });
    let mut files = run.files();
    files.get_mut("root~mid.jsonl").expect("it has booted").push_str("{\"input\":{\"inp");
    let verdict = check(&files).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms);
    let torn = "root~mid.jsonl ends in the middle of a line, which is left out";
    assert!(verdict.notes.contains(&torn.to_owned()), "{:?}", verdict.notes);
}

#[test]
fn an_actor_that_was_killed_before_it_did_what_its_last_line_says_conforms() {
    let mut run = Recorder::free("root(mid)");
    let mid = run.actor("mid");
    run.settle();
    let mut never = Recorder::free("root(mid)");
    never.settle();
    never.then(Deed::Pause { actor: mid });
    run.then(Deed::Kill { actor: mid });
    let mut files = run.files();
    files.insert(
        "root~mid.jsonl".to_owned(),
        never.files()["root~mid.jsonl"].clone().lines().take(2).collect::<Vec<_>>().join("\n")
            + "\n",
    );
    let verdict = check(&files).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms);
}

#[test]
fn a_process_without_a_record_ends_as_it_was_reaped() {
    let mut run = Recorder::free("root");
    run.then(Deed::Provoke { actor: ActorId(0), cause: Cause::Finished });
    let finishes = |lines: &mut Vec<String>| {
        let program = [
            r#"{"input":{"input":"spawned","child":7},"outputs":[]}"#,
            r#"{"input":{"input":"exited","child":7,"status":"finished"},"outputs":[]}"#,
        ];
        lines.splice(1..1, program.map(str::to_owned));
    };
    let files = tampered(&run.files(), "root.jsonl", finishes);
    let verdict = check(&files).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms, "{files:#?}");
    // A program that fails unasked fails its supervisor.
    for status in ["failed", "killed"] {
        let files = tampered(&files, "root.jsonl", |lines| {
            lines[2] = lines[2].replace("finished", status);
        });
        let difference = differs(&files);
        assert_eq!(difference.recorded, Vec::<String>::new());
        assert_eq!(difference.expected, ["teardown starts (child failed)"]);
    }
}

#[test]
fn a_process_that_nobody_announced_is_adopted_and_reaped() {
    let mut run = Recorder::free("root");
    run.then(Deed::Provoke { actor: ActorId(0), cause: Cause::Finished });
    let files = tampered(&run.files(), "root.jsonl", |lines| {
        let orphan = [
            r#"{"input":{"input":"adopted","child":7},"outputs":[{"output":"arm","timer":{"grace":7}}]}"#,
            r#"{"input":{"input":"exited","child":7,"status":"failed"},"outputs":[{"output":"disarm","timer":{"grace":7}},{"output":"sweep"}]}"#,
        ];
        lines.splice(3..3, orphan.map(str::to_owned));
    });
    let verdict = check(&files).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms, "{files:#?}");
    assert_eq!(verdict.cast.tree().to_string(), "root(pid-7?)");
}

#[test]
fn a_garbled_line_is_named() {
    let files = two_prompts().files();
    let garbled = tampered(&files, "root~mid.jsonl", |lines| lines[2] = "{\"input\":7}".to_owned());
    let error = parse("root~mid.jsonl", garbled["root~mid.jsonl"].as_bytes());
    let error = error.expect_err("it is no line").to_string();
    assert!(error.starts_with("root~mid.jsonl:3: column "), "{error}");
}

#[test]
fn a_tree_that_is_too_large_names_the_limit() {
    let names: Vec<_> = (1..16).map(|number| format!("a{number}")).collect();
    let mut run = Recorder::free(&format!("root({})", names.join(",")));
    run.settle();
    let mut files = run.files();
    files = tampered(&files, "root.jsonl", |lines| {
        lines.push("{\"input\":{\"input\":\"spawned\",\"child\":99},\"outputs\":[]}".to_owned());
    });
    let error = check(&files).expect_err("seventeen are too many").to_string();
    assert_eq!(error, "the tree of root.jsonl had 17 processes; at most 16 can be checked");
}

#[test]
fn a_stop_and_a_second_ctrl_c_conform() {
    let mut run = Recorder::free("root(mid(leaf))");
    let leaf = run.actor("leaf");
    run.settle();
    run.then(Deed::Pause { actor: leaf });
    run.then(Deed::Interrupt);
    run.then(Deed::Signal { actor: ActorId(0), signal: Signal::Terminate });
    conforms(&run);
    let mut run = Recorder::free("root(mid(leaf))");
    run.settle();
    run.take(holdfast_model::world::Action::Deed(Deed::Interrupt));
    run.then(Deed::Interrupt);
    conforms(&run);
}

#[test]
fn a_link_that_was_cut_conforms() {
    let mut run = Recorder::free("root(mid(leaf))");
    let (mid, leaf) = (run.actor("mid"), run.actor("leaf"));
    run.settle();
    run.then(Deed::Pause { actor: leaf });
    run.then(Deed::Cut { actor: mid });
    run.then(Deed::Answer { actor: leaf, answer: Answer::Continue });
    conforms(&run);
}

fn holdfast(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(args).env_remove("CLICOLOR_FORCE").env("COLUMNS", "100");
    command.output().expect("the binary was built")
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the output is UTF-8")
}

fn folder_of(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), files);
    folder
}

fn path_of(folder: &Path) -> &str {
    folder.to_str().expect("a temporary path is UTF-8")
}

/// The grant of the root went to nobody.
fn without_grant() -> Files {
    tampered(&two_prompts().files(), "root.jsonl", |lines| {
        let grant = place_of(lines, &["grant", "\"actor\":2"]);
        let send = lines[grant].find(",{\"output\":\"send\"").expect("the grant is sent");
        lines[grant].truncate(send);
        lines[grant].push_str("]}");
    })
}

#[test]
fn the_command_says_what_it_found() {
    let good = folder_of(&two_prompts().files());
    let output = holdfast(&["conform", path_of(good.path())]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    insta::assert_snapshot!("conforms", said(&output.stdout));

    let bad = folder_of(&without_grant());
    let output = holdfast(&["conform", path_of(bad.path())]);
    assert_eq!(output.status.code(), Some(12), "{}", said(&output.stderr));
    insta::assert_snapshot!("differs", said(&output.stdout));
    let output = holdfast(&["conform", "--json", path_of(bad.path())]);
    assert_eq!(output.status.code(), Some(12));
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(json["exit"], 12);
    assert_eq!(json["trees"][0]["verdict"], "differs");
    assert_eq!(json["trees"][0]["difference"]["place"], "root.jsonl:4");
}

#[test]
fn a_merged_run_is_a_trace_that_replays() {
    let folder = folder_of(&two_prompts().files());
    let trace = folder.path().join("run.trace");
    let args = ["conform", path_of(folder.path()), "--trace-out", path_of(&trace)];
    assert_eq!(holdfast(&args).status.code(), Some(0));
    let output = holdfast(&["replay", path_of(&trace)]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    assert!(said(&output.stdout).contains("steps are possible; the trace claims no more"));
}

#[test]
fn folders_in_a_folder_are_runs_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, files) in [("one", two_prompts().files()), ("two", without_grant())] {
        std::fs::create_dir(folder.path().join(name)).expect("the folder can be written");
        write(&folder.path().join(name), &files);
    }
    let output = holdfast(&["conform", path_of(folder.path())]);
    assert_eq!(output.status.code(), Some(12));
    let text = said(&output.stdout);
    assert!(text.contains("two/root.jsonl:4: root: reads Want"), "{text}");
    assert!(text.ends_with("1 of 2 trees conform\n"), "{text}");
}

#[test]
fn records_that_can_not_be_used_are_bad_input() {
    let empty = tempfile::tempdir().expect("a temporary folder");
    let garbled = folder_of(&tampered(&two_prompts().files(), "root~mid.jsonl", |lines| {
        lines[2] = "garbage".to_owned();
    }));
    let newer = folder_of(&tampered(&two_prompts().files(), "root.jsonl", |lines| {
        lines[0] = lines[0].replace("\"holdfast_record\":1", "\"holdfast_record\":9");
    }));
    let mut files = two_prompts().files();
    files.remove("root~mid.jsonl");
    let missing = folder_of(&files);
    let mut text = String::new();
    for (what, folder) in [
        ("no record", &empty),
        ("a garbled line", &garbled),
        ("a newer record", &newer),
        ("a missing record", &missing),
    ] {
        let output = holdfast(&["conform", path_of(folder.path())]);
        assert_eq!(output.status.code(), Some(2), "{what}: {}", said(&output.stderr));
        let stderr = said(&output.stderr).replace(path_of(folder.path()), "FOLDER");
        text.push_str(&format!("## {what}\n{stderr}\n"));
    }
    insta::assert_snapshot!("unusable", text);
}

/// `holdfast record` of a program that leaves these files and ends with this code.
fn recorded_as(files: &Files, code: &str, more: &[&str]) -> Output {
    let folder = folder_of(files);
    let script = format!("cp {}/* \"$HOLDFAST_RECORD\"; exit {code}", path_of(folder.path()));
    holdfast(&[&["record"], more, &["--", "sh", "-c", &script]].concat())
}

#[test]
fn a_recorded_program_keeps_its_exit_code_if_its_run_conforms() {
    let output = recorded_as(&two_prompts().files(), "3", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output.stderr));
    assert_eq!(said(&output.stdout), "");
    insta::assert_snapshot!("record", said(&output.stderr));

    let kept = tempfile::tempdir().expect("a temporary folder");
    let place = path_of(kept.path());
    let output = recorded_as(&without_grant(), "0", &["--dir", place]);
    assert_eq!(output.status.code(), Some(12));
    assert!(said(&output.stderr).contains("does not conform"), "{}", said(&output.stderr));
    assert!(kept.path().join("root.jsonl").exists());
    let output = recorded_as(&two_prompts().files(), "0", &["--dir", place]);
    assert_eq!(output.status.code(), Some(2), "the folder is used");
}

#[test]
fn a_program_without_a_record_is_bad_input() {
    let output = holdfast(&["record", "--", "true"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        said(&output.stderr),
        "error: true left no record; is it built on the holdfast runtime?\n"
    );
    let output = holdfast(&["record", "--", "/nowhere/program"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output.stderr).contains("failed to run /nowhere/program"));
}

/// What a random run is made from.
#[derive(Clone, Debug)]
struct Plan {
    below: Vec<(u8, bool, bool)>,
    faults: Vec<u8>,
    placement: Placement,
    picks: Vec<u8>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let below = vec((any::<u8>(), prop::bool::weighted(0.2), any::<bool>()), 1..=4);
    let faults = vec(0..=2_u8, Fault::ALL.len());
    let placement = prop_oneof![Just(Placement::OwnSession), Just(Placement::SharedGroup)];
    (below, faults, placement, vec(any::<u8>(), 0..160))
        .prop_map(|(below, faults, placement, picks)| Plan { below, faults, placement, picks })
}

impl Plan {
    fn config(&self) -> Config {
        let mut members =
            vec![Member { name: "root".into(), supervisor: None, start: Start::Running }];
        for (index, (above, late, _)) in self.below.iter().enumerate() {
            let above = usize::from(*above) % members.len();
            let late = *late || members[above].start == Start::Later;
            members.push(Member {
                name: char::from(b'a' + index as u8).to_string(),
                supervisor: Some(ActorId(above as u32)),
                start: if late { Start::Later } else { Start::Running },
            });
        }
        let tree = Tree::new(members).expect("supervisors stand before their children");
        let tree: Tree = tree.to_string().parse().expect("the notation is read back");
        // A link that is cut takes along what was sent meanwhile, at a moment that nobody writes
        // down; those runs are in a test of their own.
        let faults = Fault::ALL.into_iter().zip(&self.faults);
        let faults = faults.filter(|(fault, _)| *fault != Fault::Cut);
        let budget = faults.fold(Budget::NONE, |budget, (fault, count)| budget.with(fault, *count));
        let mut config = Config::new(tree, PolicyName::Relay.policy(), self.placement, budget);
        for (index, (_, _, debug)) in self.below.iter().enumerate() {
            config.debug[index + 1] = if *debug { DebugMode::On } else { DebugMode::Off };
        }
        config
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_run_of_the_model_conforms(plan in plans()) {
        let mut run = Recorder::new(plan.config());
        for pick in &plan.picks {
            let actions = run.system.enabled(&run.topology);
            if actions.is_empty() {
                break;
            }
            run.take(actions[usize::from(*pick) % actions.len()]);
        }
        let files = run.files();
        let verdict = check(&files);
        let finding = verdict.map(|verdict| verdict.finding);
        prop_assert!(matches!(finding, Ok(Finding::Conforms)), "{finding:#?}\n{files:#?}");
    }
}
