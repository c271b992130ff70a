//! How a live run ends: the prompts are answered, the tree ends or is ended, and what is left is
//! counted.

use super::Halt;
use super::judgement::{Found, judges_the_end};
use super::mirrored_actor::MirroredActor;
use super::perform::Live;
use super::view::View;
use crate::case::resolve::CaseRun;
use crate::conform::outside::{FinalObservation, Mark};
use holdfast::recorder::now_ns;
use holdfast_check::property::PropertyId;
use holdfast_check::world::shared::TerminalModes;
use holdfast_check::world::{EnvironmentAction, ScriptStep};
use holdfast_protocol::{ActorId, Answer};
use holdfast_testkit::{ProcessEnd, ProcessInfo};
use std::time::Duration;

/// How it ended.
pub(super) struct Ending {
    /// How the root ended; none if it did not.
    pub(super) exit: Option<ProcessEnd>,
    /// What was found.
    pub(super) found: Found,
}

/// What happens next in a tree that is left to itself and to the person.
enum Next {
    /// Somebody is at a prompt.
    Prompt(ActorId),
    /// The root has ended.
    Over,
    /// Nothing happens without the person.
    Idle,
}

/// What stands still where it should not.
enum Still {
    /// The tree, in the end.
    Tree,
    /// A prompt that is told to close.
    Prompt(String),
}

/// Ends the run.
pub(super) fn end(live: &mut Live<'_>, run: &CaseRun, deaf: Option<String>) -> Ending {
    let mut found = Found::new();
    let mut still = deaf.map(Still::Prompt);
    live.release_all();
    if still.is_none() {
        still = answer_all(live);
    }
    let root_told = live.view.root().is_none_or(MirroredActor::told) || !live.view.runs(ActorId(0));
    let at_rest = still.is_none() && live.view.runs(ActorId(0));
    if at_rest && live.view.idle() {
        // The last output may be told and not performed yet.
        let modes = if live.grown.wait_modes().is_ok() {
            TerminalModes::Original
        } else {
            TerminalModes::Session
        };
        live.outside.modes.push((now_ns(), modes));
    }
    let stuck_before = still.is_some();
    if live.view.runs(ActorId(0)) && !live.time_outs.interrupted() && !(root_told && stuck_before) {
        still = last_ctrl_c(live, run);
    }
    if live.view.runs(ActorId(0)) {
        let why = standstill(live, run, still, root_told, stuck_before);
        found.insert(why.0, why.1);
        live.story.push("the tree does not end; it is killed".to_owned());
        return Ending { exit: None, found };
    }
    let exit = after_root(live, run, &mut found);
    Ending { exit, found }
}

/// The person answers every prompt; ends when nothing happens any longer without another action.
fn answer_all(live: &mut Live<'_>) -> Option<Still> {
    let mut rounds = 0;
    loop {
        let next = live.wait_while_it_moves(next_of);
        match next {
            Some(Next::Over | Next::Idle) => return None,
            Some(Next::Prompt(actor)) if rounds < MOST_PROMPTS => {
                rounds += 1;
                // A person thinks for longer than any grace.
                let dwelt = live.wait_while_it_moves(|view| {
                    let open = view.prompts().any(|one| one == actor);
                    (!open || view.quiet()).then_some(open)
                });
                if dwelt == Some(false) {
                    let name = live.view.name(actor);
                    let lost = !live.view.runs(actor);
                    let how = if lost { "is gone from" } else { "is no longer at" };
                    live.story.push(format!("{name} {how} its prompt, and nobody has closed that"));
                    continue;
                }
                if live.on_screen(actor).is_err() {
                    return Some(Still::Prompt(live.view.name(actor)));
                }
                match answer(live, actor) {
                    // A program that has ended meanwhile, or its host, is at no prompt.
                    Ok(()) | Err(Halt::Never(_)) => {}
                    Err(Halt::Deaf(name)) => return Some(Still::Prompt(name)),
                    Err(_) => return Some(Still::Tree),
                }
            }
            Some(Next::Prompt(_)) | None => return Some(Still::Tree),
        }
    }
}

/// The person answers a prompt, or serves the program that is at one.
fn answer(live: &mut Live<'_>, actor: ActorId) -> Result<(), Halt> {
    if live.hosts(actor) { live.serve(actor) } else { live.answer(actor, Answer::Continue) }
}

fn next_of(view: &View<'_>) -> Option<Next> {
    if !view.runs(ActorId(0)) {
        return Some(Next::Over);
    }
    if let Some(actor) = view.prompts().next() {
        return Some(Next::Prompt(actor));
    }
    view.idle().then_some(Next::Idle)
}

/// A Ctrl-C ends a tree in which nobody is at a prompt.
fn last_ctrl_c(live: &mut Live<'_>, run: &CaseRun) -> Option<Still> {
    if !judges_the_end(run.policy) {
        live.judged_until_now();
    }
    live.story.push("nobody is at a prompt: a last Ctrl-C must end the tree".to_owned());
    if live.ctrl_c().is_err() {
        return Some(Still::Tree);
    }
    let mut rounds = 0;
    loop {
        let next = live.wait_while_it_moves(|view| match next_of(view) {
            Some(Next::Idle) | None => None,
            other => other,
        });
        match next {
            Some(Next::Over | Next::Idle) => return None,
            Some(Next::Prompt(actor)) if rounds < MOST_PROMPTS => {
                rounds += 1;
                let _ = live.on_screen(actor);
                if answer(live, actor).is_err() {
                    return Some(Still::Prompt(live.view.name(actor)));
                }
            }
            Some(Next::Prompt(_)) | None => return Some(Still::Tree),
        }
    }
}

/// What it means that the tree stands still.
fn standstill(
    live: &Live<'_>,
    run: &CaseRun,
    still: Option<Still>,
    root_told: bool,
    stuck_before: bool,
) -> (PropertyId, String) {
    if let Some(Still::Prompt(name)) = still {
        let said = format!("the prompt of {name} does not close when it is told to");
        return (PropertyId::RequestAnswered, said);
    }
    let waits = live.view.running().find(|(_, mirror)| mirror.waits());
    if let (Some((actor, _)), None, false) = (waits, live.view.prompts().next(), root_told) {
        let name = live.view.name(actor);
        let claimed = run.expectation.violations();
        if claimed.has(PropertyId::RequestAnswered) {
            let said = format!("{name} waits forever for the terminal");
            return (PropertyId::RequestAnswered, said);
        }
    }
    if root_told && stuck_before {
        let said = "the root was told to end, and the tree does not end".to_owned();
        return (PropertyId::TeardownCompletes, said);
    }
    let typed = run.config.script.steps.contains(&ScriptStep::Do(EnvironmentAction::Interrupt));
    let claimed = run.expectation.violations();
    let said = "a last Ctrl-C does not end the tree".to_owned();
    match typed && claimed.has(PropertyId::InterruptWorksAgain) {
        true => (PropertyId::InterruptWorksAgain, said),
        false => (PropertyId::CanAlwaysEnd, said),
    }
}

/// The root has ended: how, and what is left.
fn after_root(live: &mut Live<'_>, run: &CaseRun, found: &mut Found) -> Option<ProcessEnd> {
    let root = live.pid(ActorId(0)).map(ActorId);
    let kills = |mark: &Mark| match mark.action {
        EnvironmentAction::Kill { actor } => Some(actor) == root,
        _ => false,
    };
    let killed = live.outside.actions.iter().any(kills);
    let exit = match live.grown.stage.exit() {
        Ok(exit) => exit,
        Err(error) => {
            found.insert(PropertyId::TeardownCompletes, error.to_string());
            return None;
        }
    };
    live.story.push(format!("the root {exit}"));
    let left = live.grown.stage.leftovers().unwrap_or_default();
    let pid = |process: &ProcessInfo| ActorId(process.pid.cast_unsigned());
    let name = |live: &Live<'_>, process: &ProcessInfo| live.view.named(pid(process));
    let names: Vec<_> = left.iter().map(|process| name(live, process)).collect();
    if !left.is_empty() {
        live.story.push(format!("the root has ended, {} is left", names.join(" and ")));
    }
    let claimed = run.expectation.violations();
    let patience = if claimed.is_empty() { live.time_outs.limit } else { ORPHANS };
    let stays = left.iter().find(|process| process.wait_end(patience).is_err());
    if let Some(process) = stays {
        let name = name(live, process);
        let of_case = live.outside.until.is_none();
        if killed || (of_case && claimed.has(PropertyId::TeardownCompletes)) {
            let said = format!("the root has ended, {name} lives on");
            found.insert(PropertyId::TeardownCompletes, said);
        }
        live.story.push(format!("{name} lives on without a root; it is killed"));
    }
    let original = live.grown.stage.modes().map(|modes| modes == live.grown.modes);
    let modes = |original| if original { TerminalModes::Original } else { TerminalModes::Session };
    live.outside.ended = Some(FinalObservation {
        left: left.iter().map(pid).collect(),
        modes: original.ok().map(modes),
    });
    Some(exit)
}

/// No tree of the catalogue has as many prompts.
const MOST_PROMPTS: u32 = 40;

/// How long an orphan may take to end by itself.
const ORPHANS: Duration = Duration::from_millis(1500);
