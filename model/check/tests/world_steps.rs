//! One case for each guard and each effect of the steps of the tree and the kernel: what the
//! kernel would do, and what would be wrong without the guard. `src/world/grounds.rs` has the fact
//! and its source.
//!
//! Runs in `cargo test`.

#[path = "support/run.rs"]
#[expect(dead_code, reason = "other cases ask for the rest")]
mod run;

use holdfast_check::world::process::ProcessState;
use holdfast_check::world::shared::BatonState;
use holdfast_check::world::{
    Action, ActorFlags, Condition, EnvironmentAction, ScriptStep, SystemStep,
};
use holdfast_protocol::policy::{LockRelease, LostBranch, Orphans, Policy, TerminalReader};
use holdfast_protocol::{Message, RequestId, Signal, Status, Timer};
use run::{
    A, B, FIRST, FREEZES, RELAY, ROOT, answer, deliver, ends, kill, pause, run, scripted, signal,
};

#[test]
fn who_is_frozen_reads_nothing() {
    for (policy, reads) in [(RELAY, true), (FREEZES, false)] {
        let mut run = run("root(a)", policy).at_prompt(A).does(signal(ROOT, Signal::Terminate));
        run.takes(SystemStep::TakeSignal { actor: ROOT, signal: Signal::Terminate });
        assert!(run.see(|view| view.readable(ROOT, A)), "the prompt is revoked");
        assert_eq!(run.may(deliver(ROOT, A)), reads);
    }
}

#[test]
fn who_boots_reads_nothing() {
    let run = run("root(a?)", RELAY)
        .does(EnvironmentAction::Spawn { actor: A })
        .does(EnvironmentAction::CancelChild { actor: A });
    assert!(run.see(|view| view.readable(ROOT, A)), "it is told to end");
    assert!(!run.may(deliver(ROOT, A)));
    assert!(run.until_flags(A, ActorFlags::RUNNING).may(deliver(ROOT, A)));
}

#[test]
fn nothing_is_read_where_nothing_was_sent() {
    let run = run("root(a)", RELAY);
    assert!(!run.may(deliver(A, ROOT)) && !run.may(deliver(ROOT, A)));
    let run = run.does(pause(A));
    assert!(run.may(deliver(A, ROOT)) && !run.may(deliver(ROOT, A)));
}

#[test]
fn messages_arrive_in_the_order_in_which_they_were_sent() {
    let mut run = run("root(a)", RELAY).does(pause(A)).does(pause(A));
    let second = RequestId { serial: 1, ..FIRST };
    assert_eq!(run.root_reads(), Some(Message::Want { request: FIRST }));
    assert_eq!(run.root_reads(), Some(Message::Want { request: second }));
}

#[test]
fn what_was_sent_before_a_death_is_read_and_then_the_end() {
    let mut run = run("root(a)", RELAY).does(pause(A)).does(kill(A));
    assert_eq!(run.root_reads(), Some(Message::Want { request: FIRST }));
    assert_eq!(run.root_reads(), None, "the end");
    assert!(!run.may(deliver(A, ROOT)), "the end is read once");
}

#[test]
fn what_is_sent_to_the_dead_is_lost() {
    let mut run = run("root(a)", RELAY).does(kill(A)).does(signal(ROOT, Signal::Terminate));
    run.takes(SystemStep::TakeSignal { actor: ROOT, signal: Signal::Terminate });
    assert_eq!(run.link().down.queue().count(), 0);
}

#[test]
fn a_baton_that_the_dead_will_not_read_closes() {
    let mut run = run("root(a)", RELAY).does(pause(A));
    run.takes(deliver(A, ROOT));
    assert_eq!(run.baton(), Some(BatonState::Out), "it is on its way");
    assert_eq!(run.does(kill(A)).baton(), Some(BatonState::Closed));
}

#[test]
fn the_baton_of_a_holder_closes_with_its_process() {
    let run = run("root(a)", RELAY).at_prompt(A).does(kill(A));
    assert_eq!(run.baton(), Some(BatonState::Closed));
}

#[test]
fn a_handler_of_signals_runs_at_a_prompt() {
    let run = run("root(a)", FREEZES).at_prompt(A).does(signal(A, Signal::Interrupt));
    assert!(run.may(SystemStep::TakeSignal { actor: A, signal: Signal::Interrupt }));
    assert!(!run.may(SystemStep::TakeSignal { actor: A, signal: Signal::Terminate }));
}

#[test]
fn pending_signals_are_taken_in_any_order() {
    let both = [Signal::Interrupt, Signal::Terminate];
    for [first, second] in [both, [both[1], both[0]]] {
        let run = run("root(a)", RELAY).does(signal(A, first)).does(signal(A, second));
        let takes = |signal: &Signal| run.may(SystemStep::TakeSignal { actor: A, signal: *signal });
        assert!(both.iter().all(takes));
        let tried = run.system.enabled(&run.topology);
        let tries = |signal: &Signal| {
            let step = SystemStep::TakeSignal { actor: A, signal: *signal };
            tried.contains(&Action::System(step))
        };
        assert!(both.iter().all(tries));
    }
}

#[test]
fn two_equal_signals_are_one() {
    let run = run("root(a)", RELAY).does(signal(A, Signal::Interrupt));
    let run = run.does(signal(A, Signal::Interrupt));
    assert_eq!(run.pending(A).iter().count(), 1);
}

#[test]
fn a_timer_fires_if_it_is_armed_and_its_actor_is_not_frozen() {
    let grace = SystemStep::Expire { actor: A, timer: Timer::Grace(B) };
    for (policy, fires) in [(RELAY, true), (FREEZES, false)] {
        let run = run("root(a(b))", policy);
        assert!(!run.may(grace), "it is not armed");
        let run = run.does(EnvironmentAction::CancelChild { actor: B });
        assert!(run.may(grace));
        let run = run.at_prompt(A);
        let armed = run.see(|view| view.actor(A).timers.contains(&Timer::Grace(B)));
        assert!(armed, "b is not the one at the prompt");
        assert_eq!(run.may(grace), fires);
    }
}

#[test]
fn a_user_task_ends_when_it_is_told_to() {
    let run = run("root(a)", RELAY);
    assert!(!run.may(SystemStep::EndUserTask { actor: A }));
    let run = run.does(ends(A)).until_flags(A, ActorFlags::USER_TASK_ASKED);
    assert!(run.may(SystemStep::EndUserTask { actor: A }));
    let run = run.until(|view| !view.actor(A).flags.contains(ActorFlags::USER_TASK_ASKED));
    assert!(!run.may(SystemStep::EndUserTask { actor: A }), "it ends once");
}

#[test]
fn who_was_started_boots_and_nobody_else() {
    let mut run = run("root(a?)", RELAY);
    assert!(!run.may(SystemStep::Boot { actor: A }) && !run.may(SystemStep::Boot { actor: ROOT }));
    run = run.does(EnvironmentAction::Spawn { actor: A });
    run.takes(SystemStep::Boot { actor: A });
    assert!(!run.may(SystemStep::Boot { actor: A }));
}

#[test]
fn a_zombie_is_reaped_by_a_parent_that_is_not_frozen() {
    let reap = SystemStep::Reap { actor: A };
    for (policy, reaps) in [(RELAY, true), (FREEZES, false)] {
        let run = run("root(a)", policy);
        assert!(!run.may(reap), "it lives");
        assert_eq!(run.at_prompt(ROOT).does(kill(A)).may(reap), reaps);
    }
}

#[test]
fn init_reaps_whom_the_dead_root_would_have_adopted() {
    let run = run("root(a?)", RELAY).does(kill(ROOT)).does(EnvironmentAction::Appear { actor: A });
    let mut run = run.does(EnvironmentAction::Die { actor: A, status: Status::Failed });
    assert!(matches!(run.process(A), ProcessState::Zombie(..)));
    run.takes(SystemStep::Reap { actor: A });
    assert_eq!(*run.process(A), ProcessState::Gone);
}

#[test]
fn under_upstreams_release_a_holder_stays_until_its_last_word_was_read() {
    let reap = SystemStep::Reap { actor: A };
    let said = Policy { release: LockRelease::DoneArrived, ..RELAY };
    for (policy, reaps) in [(RELAY, true), (said, false)] {
        let mut run = run("root(a)", policy).does(pause(A)).does(kill(A));
        assert_eq!(run.may(reap), reaps);
        run.takes(deliver(A, ROOT));
        run.takes(deliver(A, ROOT));
        assert!(run.may(reap));
    }
}

#[test]
fn who_reaps_closes_the_link_with_what_is_unread() {
    // Upstream reads the connection to its end all the same.
    let untold = Policy { lost_branch: LostBranch::Untold, ..RELAY };
    for (policy, reads) in [(RELAY, false), (untold, true)] {
        let mut run = run("root(a)", policy).does(pause(A)).does(kill(A));
        run.takes(SystemStep::Reap { actor: A });
        assert_eq!(run.may(deliver(A, ROOT)), reads);
    }
}

#[test]
fn a_zombie_stays_until_it_is_reaped() {
    let mut run = run("root(a(b))", RELAY).does(kill(B));
    assert!(matches!(run.process(B), ProcessState::Zombie(Status::Killed, _)));
    run.takes(deliver(B, A));
    assert!(run.is(B, ActorFlags::ZOMBIE), "its link is read to the end, and it is still there");
    assert!(run.until(|view| view.actor(B).flags.is_empty()).is(A, ActorFlags::RUNNING));
}

#[test]
fn the_root_finds_an_orphan_that_lives() {
    let adopt = SystemStep::Adopt { actor: B };
    let whole = run("root(a(b))", RELAY);
    assert!(!whole.may(adopt), "its supervisor lives");
    let run = whole.does(kill(A));
    assert_eq!(run.see(|view| view.actor(B).parent), Some(ROOT), "a subreaper is next");
    assert!(run.may(adopt));
    assert!(!run.does(kill(B)).may(adopt), "it is reaped without that");
}

#[test]
fn a_root_that_is_frozen_finds_nobody() {
    let run = run("root(a(b))", FREEZES).at_prompt(ROOT).does(kill(A));
    assert!(!run.may(SystemStep::Adopt { actor: B }));
}

#[test]
fn an_orphan_is_found_once() {
    let mut run = run("root(a(b))", RELAY).does(kill(A));
    run.takes(SystemStep::Adopt { actor: B });
    assert!(!run.may(SystemStep::Adopt { actor: B }));
}

#[test]
fn without_a_subreaper_an_orphan_is_inits() {
    let lives_on = Policy { orphans: Orphans::LiveOn, ..RELAY };
    let run = run("root(a(b))", lives_on).does(kill(A));
    assert_eq!(run.see(|view| view.actor(B).parent), None);
    assert!(!run.may(SystemStep::Adopt { actor: B }));
    assert_eq!(*run.does(kill(B)).process(B), ProcessState::Gone, "init reaps at once");
}

#[test]
fn who_the_root_leaves_behind_is_inits() {
    let run = run("root(a)", RELAY).does(kill(A)).does(kill(ROOT));
    assert_eq!(*run.process(A), ProcessState::Gone);
}

#[test]
fn the_root_sees_nobody_left_once_nobody_is() {
    let run = run("root(a(b))", RELAY);
    assert!(!run.may(SystemStep::SeeChildrenGone), "it does not end");
    // The root has reaped its child; the grandchild is the kernel's to give it.
    let run = run.does(kill(A)).until(|view| {
        view.root().flags.contains(ActorFlags::SWEEPING)
            && view.actor(B).flags.contains(ActorFlags::UNFOUND)
    });
    assert!(!run.may(SystemStep::SeeChildrenGone));
    let run = run.until(|view| view.actors().skip(1).all(|(_, facts)| facts.parent.is_none()));
    let run = run.until_flags(ROOT, ActorFlags::SWEEPING);
    assert!(run.may(SystemStep::SeeChildrenGone));
}

#[test]
fn a_root_that_does_not_end_sees_nothing() {
    let run = run("root", RELAY);
    assert!(!run.may(SystemStep::SeeChildrenGone));
}

#[test]
fn the_end_of_a_baton_is_read_once_every_copy_is_closed() {
    let read = SystemStep::ReadBaton { request: FIRST };
    let mut run = run("root(a)", RELAY);
    assert!(!run.may(read));
    run = run.at_prompt(A);
    assert!(!run.may(read), "the holder has it");
    run = run.does(answer(A));
    run.takes(read);
    assert!(!run.may(read), "it is read once");
}

#[test]
fn a_dead_root_reads_no_baton() {
    let run = run("root(a)", RELAY).at_prompt(A).does(kill(ROOT)).does(kill(A));
    assert_eq!(run.baton(), Some(BatonState::Closed));
    assert!(!run.may(SystemStep::ReadBaton { request: FIRST }));
}

#[test]
fn a_prompt_ends_with_the_process_that_reads_the_terminal() {
    let lose = SystemStep::LosePrompt { actor: A };
    let run_ = run("root(a)", RELAY);
    assert!(!run_.does(kill(ROOT)).may(lose), "no prompt is open");
    let at_prompt = run("root(a)", RELAY).at_prompt(A);
    assert!(!at_prompt.may(lose), "the root lives");
    assert!(at_prompt.does(kill(ROOT)).may(lose));
    let holder = Policy { reader: TerminalReader::Holder, ..RELAY };
    assert!(!run("root(a)", holder).at_prompt(A).does(kill(ROOT)).may(lose), "it reads itself");
}

#[test]
fn a_script_goes_on_when_what_it_waits_for_is_so() {
    let pass = SystemStep::Pass { at: 0 };
    let waits = |tree: &str, condition| scripted(tree, RELAY, vec![ScriptStep::Until(condition)]);
    let run = waits("root(a)", Condition::PromptOpen(A)).does(pause(A));
    assert!(!run.may(pass));
    assert!(run.until(|view| view.actor(A).prompt.is_some()).may(pass));
    let run = waits("root(a)", Condition::PromptOpen(ROOT)).at_prompt(A);
    assert!(!run.may(pass), "it is another's");
    let run = waits("root(a)", Condition::Waiting(A));
    assert!(!run.may(pass));
    assert!(run.does(pause(A)).may(pass));
    let run = waits("root(a)", Condition::NoPrompt);
    assert!(run.may(pass));
    assert!(!run.does(pause(A)).may(pass));
    let run = waits("root(a?)", Condition::Ended(A));
    assert!(!run.may(pass), "it is not started");
    let run = run.does(EnvironmentAction::Spawn { actor: A });
    assert!(!run.may(pass));
    assert!(run.does(kill(A)).may(pass));
    let run = waits("root(a)", Condition::Cancelled(ROOT)).at_prompt(A);
    assert!(!run.may(pass));
    let run = run.does(ends(ROOT));
    assert!(run.may(pass));
    let run = waits("root(a)", Condition::TearingDown(ROOT)).at_prompt(A).does(ends(ROOT));
    assert!(!run.may(pass), "the prompt is open");
    assert!(run.does(answer(A)).until_flags(ROOT, ActorFlags::TEARING_DOWN).may(pass));
    let run = waits("root(a?)", Condition::Running(A)).does(EnvironmentAction::Spawn { actor: A });
    assert!(!run.may(pass));
    assert!(run.until_flags(A, ActorFlags::RUNNING).may(pass));
    let run = waits("root(a)", Condition::Quiet);
    assert!(run.may(pass));
    assert!(!run.does(pause(A)).may(pass));
}

#[test]
fn a_script_goes_on_step_by_step() {
    let free = ScriptStep::Until(Condition::NoPrompt);
    let mut run = scripted("root(a)", RELAY, vec![free, free]);
    assert!(!run.may(SystemStep::Pass { at: 1 }));
    run.takes(SystemStep::Pass { at: 0 });
    assert!(!run.may(SystemStep::Pass { at: 0 }));
    run.takes(SystemStep::Pass { at: 1 });
    assert!(!run.may(SystemStep::Pass { at: 2 }), "it is over");
}
