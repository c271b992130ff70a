//! Small runs by hand, and what becomes of them when a line is changed, dropped or moved.

use crate::recorded::{Files, Recorder, two_prompts};
use crate::{check, conforms, differs, place_of, tampered};
use holdfast_check::world::{Action, EnvironmentAction, SystemStep};
use holdfast_cli::conform::record::parse;
use holdfast_cli::conform::verdict::Finding;
use holdfast_protocol::{ActorId, Answer, Cause, Signal, Status};

#[test]
fn a_run_with_two_prompts_conforms_and_replays() {
    let verdict = conforms(&two_prompts());
    assert_eq!(verdict.notes, Vec::<String>::new());
    let trace = verdict.trace();
    let text = trace.to_text();
    let read = holdfast_check::trace::Trace::from_text(&text).expect("it is read back");
    assert_eq!(read, trace);
    let config = read.config().expect("its header is complete");
    assert_eq!(&config, verdict.recorded.topology.config());
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
    run.then(EnvironmentAction::Pause { actor: mid });
    run.then(EnvironmentAction::Pause { actor: mid });
    run.then(EnvironmentAction::Answer { actor: mid, answer: Answer::Continue });
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
    run.then(EnvironmentAction::Pause { actor: mid });
    run.then(EnvironmentAction::Kill { actor: mid });
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
    never.then(EnvironmentAction::Pause { actor: mid });
    run.then(EnvironmentAction::Kill { actor: mid });
    let mut files = run.files();
    files.insert(
        "root~mid.jsonl".to_owned(),
        never.files()["root~mid.jsonl"].clone().lines().take(2).collect::<Vec<_>>().join("\n")
            + "\n",
    );
    let verdict = check(&files).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms);
}

/// A run in which a root with two children was killed when it had recorded that it cancels both: the
/// model's record of all that it performed.
fn killed_while_it_cancels(performed: u8) -> Recorder {
    let mut run = Recorder::free("root(one,two)");
    let root = run.actor("root");
    run.settle();
    run.take(Action::Environment(EnvironmentAction::CutShort { actor: root, performed }));
    run.take(Action::Environment(EnvironmentAction::Provoke { actor: root, cause: Cause::Failed }));
    run.take(Action::Environment(EnvironmentAction::Kill { actor: root }));
    run.settle();
    run
}

/// What the root of such a run writes, before it performs any of it.
fn what_the_root_says(files: &Files) -> String {
    let mut whole = Recorder::free("root(one,two)");
    let root = whole.actor("root");
    whole.settle();
    whole.take(Action::Environment(EnvironmentAction::Provoke {
        actor: root,
        cause: Cause::Failed,
    }));
    let said = whole.files()["root.jsonl"].clone();
    assert!(said.starts_with(files["root.jsonl"].lines().next().expect("a header")));
    said
}

/// Whether a child of such a run was told to end.
fn was_cancelled(files: &Files, child: &str) -> bool {
    files[&format!("root~{child}.jsonl")].contains("\"say\":\"cancel\"")
}

#[test]
fn an_actor_that_was_killed_has_performed_any_first_part_of_its_last_line() {
    let mut cancelled = Vec::new();
    let all = 8;
    for performed in 0..=all {
        let mut files = killed_while_it_cancels(performed).files();
        let said = what_the_root_says(&files);
        files.insert("root.jsonl".to_owned(), said);
        let verdict = check(&files).expect("the records make a run");
        assert_eq!(verdict.finding, Finding::Conforms, "{performed} performed: {files:#?}");
        cancelled.push((was_cancelled(&files, "one"), was_cancelled(&files, "two")));
    }
    cancelled.dedup();
    assert_eq!(cancelled, [(false, false), (true, false), (true, true)]);
}

#[test]
fn no_actor_has_performed_a_later_part_of_its_last_line_alone() {
    let one_alone = (0..8).map(|performed| killed_while_it_cancels(performed).files());
    let mut files = one_alone
        .into_iter()
        .find(|files| was_cancelled(files, "one") && !was_cancelled(files, "two"))
        .expect("the root cancels one after the other");
    let said = what_the_root_says(&files);
    files.insert("root.jsonl".to_owned(), said);
    // The records of the children change places, so the second was told and the first was not.
    let (one, two) = ("root~one.jsonl", "root~two.jsonl");
    let lines = |file: &str| files[file].split_once('\n').expect("a header").1.to_owned();
    let header = |file: &str| files[file].split_once('\n').expect("a header").0.to_owned();
    let (first, second) =
        (format!("{}\n{}", header(one), lines(two)), format!("{}\n{}", header(two), lines(one)));
    files.extend([(one.to_owned(), first), (two.to_owned(), second)]);
    assert!(was_cancelled(&files, "two") && !was_cancelled(&files, "one"));
    differs(&files);
}

#[test]
fn an_actor_that_was_killed_has_performed_all_before_its_last_line() {
    let mut files = killed_while_it_cancels(2).files();
    assert!(was_cancelled(&files, "one") && !was_cancelled(&files, "two"));
    let mut longer = Recorder::free("root(one,two)");
    let root = longer.actor("root");
    longer.settle();
    let terminate = Signal::Terminate;
    for action in [
        Action::Environment(EnvironmentAction::Provoke { actor: root, cause: Cause::Failed }),
        Action::Environment(EnvironmentAction::Signal { actor: root, signal: terminate }),
        Action::System(SystemStep::TakeSignal { actor: root, signal: terminate }),
    ] {
        longer.take(action);
    }
    files.insert("root.jsonl".to_owned(), longer.files()["root.jsonl"].clone());
    differs(&files);
}

#[test]
fn what_an_actor_that_was_killed_says_of_its_last_line_follows_from_it() {
    let mut files = killed_while_it_cancels(0).files();
    let said = what_the_root_says(&files);
    let started = "\"output\":\"teardown-started\",\"cause\"";
    let altered =
        said.replace(&format!("{started}:\"failed\""), &format!("{started}:\"deadline\""));
    files.insert("root.jsonl".to_owned(), altered);
    assert_ne!(files["root.jsonl"], said);
    differs(&files);
}

#[test]
fn a_process_without_a_record_ends_as_it_was_reaped() {
    let mut run = Recorder::free("root");
    run.then(EnvironmentAction::Provoke { actor: ActorId(0), cause: Cause::Finished });
    let finishes = |lines: &mut Vec<String>| {
        let program = [
            r#"{"at_ns":0,"input":{"input":"spawned","child":7},"outputs":[]}"#,
            r#"{"at_ns":0,"input":{"input":"exited","child":7,"status":"finished"},"outputs":[]}"#,
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
    run.then(EnvironmentAction::Provoke { actor: ActorId(0), cause: Cause::Finished });
    let files = tampered(&run.files(), "root.jsonl", |lines| {
        let orphan = [
            r#"{"at_ns":0,"input":{"input":"adopted","child":7},"outputs":[{"output":"arm","timer":{"grace":7}}]}"#,
            r#"{"at_ns":0,"input":{"input":"exited","child":7,"status":"failed"},"outputs":[{"output":"disarm","timer":{"grace":7}},{"output":"sweep"}]}"#,
        ];
        lines.splice(3..3, orphan.map(str::to_owned));
    });
    let verdict = check(&files).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms, "{files:#?}");
    assert_eq!(verdict.recorded.tree().to_string(), "root(pid-7?)");
}

#[test]
fn a_garbled_line_is_named() {
    let files = two_prompts().files();
    let garbled = tampered(&files, "root~mid.jsonl", |lines| lines[2] = "{\"input\":7}".to_owned());
    let error = parse("root~mid.jsonl", garbled["root~mid.jsonl"].as_bytes());
    let error = error.expect_err("it is not a line").to_string();
    assert!(error.starts_with("root~mid.jsonl:3: column "), "{error}");
}

#[test]
fn a_tree_that_is_too_large_names_the_limit() {
    let names: Vec<_> = (1..16).map(|number| format!("a{number}")).collect();
    let mut run = Recorder::free(&format!("root({})", names.join(",")));
    run.settle();
    let mut files = run.files();
    files = tampered(&files, "root.jsonl", |lines| {
        lines.push(
            "{\"at_ns\":0,\"input\":{\"input\":\"spawned\",\"child\":99},\"outputs\":[]}"
                .to_owned(),
        );
    });
    let error = check(&files).expect_err("seventeen are too many").to_string();
    assert_eq!(error, "the tree of root.jsonl had 17 processes; at most 16 can be checked");
}

#[test]
fn a_stop_and_a_second_ctrl_c_conform() {
    let mut run = Recorder::free("root(mid(leaf))");
    let leaf = run.actor("leaf");
    run.settle();
    run.then(EnvironmentAction::Pause { actor: leaf });
    run.then(EnvironmentAction::Interrupt);
    run.then(EnvironmentAction::Signal { actor: ActorId(0), signal: Signal::Terminate });
    conforms(&run);
    let mut run = Recorder::free("root(mid(leaf))");
    run.settle();
    run.take(Action::Environment(EnvironmentAction::Interrupt));
    run.then(EnvironmentAction::Interrupt);
    conforms(&run);
}

#[test]
fn an_actor_that_is_killed_after_its_last_word_conforms() {
    let mut run = Recorder::free("root(mid)");
    let mid = run.actor("mid");
    run.settle();
    run.take(Action::Environment(EnvironmentAction::Provoke { actor: mid, cause: Cause::Failed }));
    run.take(Action::System(SystemStep::EndUserTask { actor: mid }));
    run.take(Action::Environment(EnvironmentAction::Die { actor: mid, status: Status::Killed }));
    run.settle();
    conforms(&run);
}

#[test]
fn an_actor_that_is_killed_between_reaping_a_child_and_saying_so_conforms() {
    let mut run = Recorder::free("root(mid(leaf))");
    let (mid, leaf) = (run.actor("mid"), run.actor("leaf"));
    run.settle();
    run.take(Action::Environment(EnvironmentAction::Kill { actor: leaf }));
    run.take(Action::System(SystemStep::Deliver { from: leaf, to: mid }));
    run.take(Action::Environment(EnvironmentAction::Kill { actor: mid }));
    run.take(Action::Environment(EnvironmentAction::Vanish { actor: leaf }));
    run.settle();
    let verdict = conforms(&run);
    let vanishes = Action::Environment(EnvironmentAction::Vanish { actor: leaf });
    assert!(verdict.steps.iter().any(|step| step.action == vanishes));
    // Who has read the end of its supervisor was there when that was dead, and the root knows whoever
    // has asked it for a prompt.
    let mut run = Recorder::free("root(mid(leaf))");
    run.settle();
    run.then(EnvironmentAction::Pause { actor: leaf });
    run.then(EnvironmentAction::Answer { actor: leaf, answer: Answer::Continue });
    run.then(EnvironmentAction::Kill { actor: mid });
    conforms(&run);
    let whole = run.files();
    let of_leaf = format!("\"child\":{}", leaf.0);
    let unadopted = |files: &Files| {
        let files = tampered(files, "root.jsonl", |lines| {
            lines.retain(|line| !line.contains(&of_leaf));
        });
        assert_ne!(files["root.jsonl"], whole["root.jsonl"]);
        files
    };
    let why = differs(&unadopted(&whole)).why.expect("it is not possible there");
    assert_eq!(why, "the root has children: leaf");
    // Of whom the root had never heard, and who had ended when it came to the root, the root says
    // nothing.
    let mut run = Recorder::free("root(mid(leaf))");
    run.settle();
    run.then(EnvironmentAction::Kill { actor: mid });
    conforms(&run);
    let files = unadopted(&run.files());
    let verdict = check(&files).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms, "{files:#?}");
}

#[test]
fn a_link_that_was_cut_conforms() {
    let mut run = Recorder::free("root(mid(leaf))");
    let (mid, leaf) = (run.actor("mid"), run.actor("leaf"));
    run.settle();
    run.then(EnvironmentAction::Pause { actor: leaf });
    run.then(EnvironmentAction::Cut { actor: mid });
    run.then(EnvironmentAction::Answer { actor: leaf, answer: Answer::Continue });
    conforms(&run);
    // What is said on it afterwards is lost.
    let mut run = Recorder::free("root(leaf)");
    let leaf = run.actor("leaf");
    run.settle();
    run.then(EnvironmentAction::Pause { actor: leaf });
    run.take(Action::Environment(EnvironmentAction::Cut { actor: leaf }));
    run.then(EnvironmentAction::Answer { actor: leaf, answer: Answer::Continue });
    conforms(&run);
}
