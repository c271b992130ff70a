//! One case for each guard and each effect of what the environment does, and of what is tried of
//! it. `src/world/grounds.rs` has the fact and its source.
//!
//! Runs in `cargo test`.

#[path = "support/run.rs"]
#[expect(dead_code, reason = "other cases ask for the rest")]
mod run;

use holdfast_check::world::process::ProcessState;
use holdfast_check::world::shared::RootEnd;
use holdfast_check::world::{
    Action, ActorFlags, Condition, Config, Environment, EnvironmentAction, ScriptStep, SystemStep,
};
use holdfast_protocol::policy::{BootInterrupt, Policy, TerminalReader};
use holdfast_protocol::{Answer, Cause, DebugMode, Message, Placement, Signal, Status};
use run::{
    A, B, FIRST, FREEZES, RELAY, ROOT, Run, answer, bounded, config, ends, fails, kill, pause, run,
    signal,
};

#[test]
fn a_breakpoint_needs_a_task_that_runs() {
    for pause in [pause(A), EnvironmentAction::PauseShielded { actor: A }] {
        assert!(run("root(a)", RELAY).can(pause));
        assert!(!run("root(a?)", RELAY).can(pause), "it is not started");
        assert!(run("root(a)", RELAY).at_prompt(A).can(pause), "another task");
        assert!(!run("root(a)", FREEZES).at_prompt(A).can(pause), "it is frozen");
        let ended = run("root(a(b))", RELAY).does(ends(A));
        let ended = ended.until_flags(A, ActorFlags::USER_TASK_ENDED | ActorFlags::RUNNING);
        assert!(!ended.can(pause), "its task has ended");
        let mut debug = config("root(a)", "none", RELAY);
        (debug.debug[1], debug.environment) = (DebugMode::On, Environment::Recorded);
        assert!(!Run::from(debug).does(fails(A)).can(pause), "its task has failed");
    }
}

#[test]
fn a_person_answers_a_prompt_that_somebody_shows() {
    let at_prompt = run("root(a)", RELAY);
    assert!(!at_prompt.can(answer(A)), "there is no prompt");
    let at_prompt = at_prompt.at_prompt(A);
    assert!(at_prompt.can(answer(A)) && !at_prompt.can(answer(ROOT)));
    assert!(!at_prompt.does(kill(ROOT)).can(answer(A)), "nobody reads the terminal");
    let holder = Policy { reader: TerminalReader::Holder, ..RELAY };
    assert!(run("root(a)", holder).at_prompt(A).does(kill(ROOT)).can(answer(A)));
}

#[test]
fn a_person_may_quit() {
    let quit = EnvironmentAction::Answer { actor: A, answer: Answer::Quit };
    assert!(bounded("root(a)", "request=1,quit=1").at_prompt(A).tries(quit));
    let run = bounded("root(a)", "request=1").at_prompt(A);
    assert!(!run.tries(quit) && run.tries(answer(A)));
    let run = bounded("root(a)", "request=1,quit=1").at_prompt(A).does(quit);
    assert!(run.until_flags(A, ActorFlags::ZOMBIE).is(A, ActorFlags::ZOMBIE), "it fails");
}

#[test]
fn an_end_has_one_cause() {
    let run_ = run("root(a(b))", RELAY);
    assert!(run_.can(ends(A)));
    assert!(!run_.does(ends(A)).can(ends(A)), "it ends already");
    assert!(!run("root(a)", FREEZES).at_prompt(A).can(ends(A)), "it is frozen");
    assert!(!run("root(a?)", RELAY).can(ends(A)), "it is not started");
    let mut debug = config("root(a)", "none", RELAY);
    (debug.debug[1], debug.environment) = (DebugMode::On, Environment::Recorded);
    assert!(!Run::from(debug).does(fails(A)).can(ends(A)), "it is examined");
}

#[test]
fn an_examination_can_be_cut_short() {
    let cut_short = EnvironmentAction::FailUnexamined { actor: A, cause: Cause::Failed };
    let mut debug = config("root(a)", "none", RELAY);
    (debug.debug[1], debug.environment) = (DebugMode::On, Environment::Recorded);
    let run_ = Run::from(debug).does(fails(A));
    assert!(run_.is(A, ActorFlags::FAILING) && run_.can(cut_short));
    assert!(!run_.does(cut_short).can(cut_short), "it ends already");
    assert!(!run("root(a)", FREEZES).at_prompt(A).can(cut_short), "it is frozen");
}

#[test]
fn a_supervisor_asks_a_child_once() {
    let ask = EnvironmentAction::CancelChild { actor: A };
    let run_ = run("root(a)", RELAY);
    assert!(run_.can(ask) && !run_.can(EnvironmentAction::CancelChild { actor: ROOT }));
    assert!(!run_.does(ask).can(ask));
    assert!(!run("root(a)", FREEZES).at_prompt(ROOT).can(ask), "it is frozen");
    assert!(!run("root(a?)", RELAY).can(ask), "there is no child");
}

#[test]
fn a_ctrl_c_goes_to_the_whole_foreground_group() {
    for (placement, reached) in [(Placement::OwnSession, 1), (Placement::SharedGroup, 2)] {
        let run_ = run("root(a)", RELAY);
        let config = Config { placement, ..run_.topology.config().clone() };
        let run_ = Run::from(config).does(EnvironmentAction::Interrupt);
        let pending =
            [ROOT, A].into_iter().filter(|actor| run_.pending(*actor).iter().count() == 1);
        assert_eq!(pending.count(), reached);
    }
}

#[test]
fn a_ctrl_c_waits_for_nobody() {
    let run = bounded("root(a)", "request=1,interrupt=1");
    assert!(run.tries(EnvironmentAction::Interrupt));
    let run = run.does(pause(A));
    assert!(run.tries(EnvironmentAction::Interrupt), "a message is unread");
    let run = run.until(|view| view.actor(A).prompt.is_some());
    assert!(run.tries(EnvironmentAction::Interrupt), "a prompt is open");
}

#[test]
fn a_ctrl_c_that_is_pending_everywhere_changes_nothing() {
    let run = run("root(a)", RELAY).does(EnvironmentAction::Interrupt);
    assert!(!run.can(EnvironmentAction::Interrupt));
    let mut again = run.system.clone();
    again.apply(&run.topology, Action::Environment(EnvironmentAction::Interrupt));
    assert_eq!(again, run.system);
}

#[test]
fn signals_reach_whoever_is_alive() {
    let die = EnvironmentAction::Die { actor: A, status: Status::Failed };
    for action in [signal(A, Signal::Interrupt), kill(A), die] {
        let later = run("root(a?)", RELAY);
        assert!(!later.can(action), "it is not started");
        assert!(later.does(EnvironmentAction::Spawn { actor: A }).can(action));
        assert!(run("root(a)", FREEZES).at_prompt(A).can(action));
        assert!(!run("root(a)", RELAY).does(kill(A)).can(action), "it is dead");
    }
}

#[test]
fn a_kill_takes_who_boots_too() {
    let boots = run("root(a?)", RELAY).does(EnvironmentAction::Spawn { actor: A });
    let run = boots.does(kill(A));
    assert!(matches!(run.process(A), ProcessState::Zombie(Status::Killed, _)));
}

#[test]
fn who_boots_ignores_sigint_and_dies_of_sigterm() {
    let boots = |policy| run("root(a?)", policy).does(EnvironmentAction::Spawn { actor: A });
    assert!(boots(RELAY).does(signal(A, Signal::Interrupt)).is(A, ActorFlags::BOOTING));
    assert!(boots(RELAY).does(signal(A, Signal::Terminate)).is(A, ActorFlags::ZOMBIE));
    let dies = Policy { boot_interrupt: BootInterrupt::Dies, ..RELAY };
    assert!(boots(dies).does(signal(A, Signal::Interrupt)).is(A, ActorFlags::ZOMBIE));
}

#[test]
fn a_root_that_was_killed_has_not_exited() {
    let end = |run: &Run| run.see(|view| view.shared().root_end);
    let run_ = run("root", RELAY);
    assert_eq!(end(&run_), None);
    assert_eq!(end(&run_.does(kill(ROOT))), Some(RootEnd::Killed));
    let run = run("root", RELAY).does(ends(ROOT)).until(|view| !view.root().alive());
    assert_eq!(end(&run), Some(RootEnd::Exited));
}

#[test]
fn a_link_breaks_whatever_is_under_way_and_carries_that() {
    let cut = EnvironmentAction::Cut { actor: A };
    let mut run = bounded("root(a)", "request=1,cut=1");
    assert!(run.tries(cut));
    run = run.does(pause(A));
    assert!(run.tries(cut), "a message is under way");
    run = run.does(cut);
    assert!(!run.can(cut), "it is broken");
    assert_eq!(run.root_reads(), Some(Message::Want { request: FIRST }));
    assert_eq!(run.root_reads(), None, "the end");
}

#[test]
fn a_link_of_the_dead_does_not_break_once_more() {
    let cut = EnvironmentAction::Cut { actor: A };
    assert!(!run("root(a)", RELAY).can(EnvironmentAction::Cut { actor: ROOT }), "it has none");
    assert!(!run("root(a)", RELAY).does(kill(A)).can(cut));
    assert!(!run("root(a)", RELAY).does(kill(ROOT)).can(cut));
    assert!(!run("root(a?)", RELAY).can(cut), "it is not started");
}

#[test]
fn a_supervisor_that_serves_starts_whom_it_has_not_started() {
    let spawn = EnvironmentAction::Spawn { actor: A };
    let run_ = run("root(a?)", RELAY);
    assert!(run_.can(spawn) && !run_.can(EnvironmentAction::Spawn { actor: ROOT }));
    assert!(!run_.does(spawn).can(spawn), "it is started");
    assert!(!run("root(a?)", RELAY).does(ends(ROOT)).can(spawn), "it ends");
    assert!(!run("root(a?)", FREEZES).at_prompt(ROOT).can(spawn), "it is frozen");
}

#[test]
fn what_nobody_has_announced_appears_once() {
    let appear = EnvironmentAction::Appear { actor: A };
    let run = run("root(a?)", RELAY);
    assert!(run.can(appear));
    let run = run.does(appear);
    assert!(run.is(A, ActorFlags::UNFOUND) && !run.can(appear));
}

#[test]
fn only_a_zombie_that_the_root_has_not_found_is_gone_behind_its_back() {
    let vanish = EnvironmentAction::Vanish { actor: B };
    let run_ = run("root(a(b))", RELAY);
    assert!(!run_.can(vanish), "it lives");
    let run_ = run_.does(kill(B));
    assert!(!run_.can(vanish), "its supervisor reaps it");
    assert!(run_.does(kill(A)).can(vanish));
    assert!(!run("root(a(b))", RELAY).does(kill(A)).can(vanish), "it lives");
}

#[test]
fn who_is_killed_has_performed_a_first_part() {
    let cut_short = |performed| EnvironmentAction::CutShort { actor: A, performed };
    let later = run("root(a?)", RELAY);
    assert!(!later.can(cut_short(0)), "it is not started");
    assert!(!later.does(EnvironmentAction::Spawn { actor: A }).can(cut_short(0)), "it boots");
    let asked = |run: Run| run.does(pause(A)).see(|view| view.readable(A, ROOT));
    assert!(asked(run("root(a)", RELAY)), "it performs all");
    assert!(!asked(run("root(a)", RELAY).does(cut_short(0))), "it performs nothing");
}

// What is tried of it.

#[test]
fn what_the_budget_has_left_is_tried_and_no_more() {
    let run = bounded("root(a)", "request=1");
    assert!(run.tries(pause(A)) && run.tries(pause(ROOT)) && !run.tries(kill(A)));
    assert!(!run.does(pause(A)).tries(pause(ROOT)));
}

#[test]
fn what_would_be_refused_on_the_spot_is_not_tried() {
    let stopped = bounded("root(a)", "request=1,shielded=1,stop=1");
    let stopped = stopped.does(signal(ROOT, Signal::Terminate));
    let stopped = stopped.until_flags(ROOT, ActorFlags::STOPPING);
    let shielded = EnvironmentAction::PauseShielded { actor: ROOT };
    assert!(!stopped.tries(pause(ROOT)) && !stopped.tries(shielded), "it was told to stop");
    let ends = bounded("root(a(b))", "request=1,shielded=1,cancel=1").does(ends(A));
    let shielded = EnvironmentAction::PauseShielded { actor: A };
    assert!(!ends.tries(pause(A)) && ends.tries(shielded), "a cancel withdraws it");
    let orphan = bounded("root(a)", "request=1,kill-root=1").does(kill(ROOT));
    let orphan = orphan.until_flags(A, ActorFlags::ORPHAN);
    assert!(!orphan.tries(pause(A)), "nobody is there to grant it");
}

#[test]
fn each_fault_strikes_whom_it_is_named_after() {
    let run = bounded("root(a)", "kill=1,stop=1,cut=1,interrupt-one=1");
    assert!(run.tries(kill(A)) && !run.tries(kill(ROOT)));
    assert!(run.tries(signal(ROOT, Signal::Terminate)) && !run.tries(signal(A, Signal::Terminate)));
    let pending = run.does(signal(A, Signal::Interrupt));
    let int_a = signal(A, Signal::Interrupt);
    let pending_again = {
        let budget = bounded("root(a)", "interrupt-one=2").does(int_a);
        budget.tries(int_a)
    };
    assert!(!pending_again && !pending.tries(signal(ROOT, Signal::Interrupt)));
    let run = bounded("root(a)", "kill-root=1");
    assert!(!run.tries(kill(A)) && run.tries(kill(ROOT)));
    let run = bounded("root(a)", "stop=2").does(signal(ROOT, Signal::Terminate));
    assert!(!run.tries(signal(ROOT, Signal::Terminate)), "it is pending");
}

#[test]
fn the_person_and_starts_need_no_budget() {
    let run = bounded("root(a?)", "request=1");
    assert!(run.tries(EnvironmentAction::Spawn { actor: A }));
    assert!(run.at_prompt(ROOT).tries(answer(ROOT)));
    let spawn = ScriptStep::Do(EnvironmentAction::Spawn { actor: A });
    let wait = ScriptStep::Until(Condition::PromptOpen(ROOT));
    let mut timed = config("root(a?)", "request=1", RELAY);
    timed.script.steps = vec![wait, spawn];
    let timed = Run::from(timed);
    assert!(!timed.tries(EnvironmentAction::Spawn { actor: A }), "the script times it");
    let mut timed = timed.at_prompt(ROOT);
    assert!(!timed.tries(answer(ROOT)), "the script is not over");
    timed.takes(SystemStep::Pass { at: 0 });
    assert!(timed.tries(EnvironmentAction::Spawn { actor: A }));
}

#[test]
fn a_program_has_the_terminal_in_its_turn() {
    let (read, line) = (EnvironmentAction::Read { actor: B }, EnvironmentAction::Type { actor: B });
    let taken = EnvironmentAction::TakeBack { actor: B };
    let (asks, gives) =
        (SystemStep::AskForProgram { actor: A }, SystemStep::GiveForeground { actor: A });
    let mut hosted = run("root(a(b!))", RELAY);
    assert!(hosted.can(read) && !hosted.can(line) && !hosted.can(taken) && !hosted.may(asks));
    hosted = hosted.does(read);
    assert!(!hosted.can(read) && !hosted.can(line) && !hosted.may(gives), "it is stopped");
    hosted.takes(asks);
    assert!(!hosted.may(asks) && !hosted.may(gives), "it is not granted");
    hosted = hosted.until(|view| view.actor(A).prompt.is_some());
    hosted.takes(gives);
    assert!(hosted.can(line) && hosted.can(taken) && !hosted.can(answer(A)), "it reads");
    hosted = hosted.does(taken);
    assert!(hosted.may(asks) && !hosted.can(line), "its next read stops it");
}

#[test]
fn a_host_ends_with_its_program() {
    let finish = SystemStep::FinishHost { actor: A };
    let hosted = run("root(a(b!))", RELAY);
    assert!(!hosted.may(finish), "its program runs");
    let mut hosted = hosted.does(kill(B));
    hosted.takes(SystemStep::Reap { actor: B });
    hosted.takes(finish);
    assert!(!hosted.may(finish), "once is enough");
}
