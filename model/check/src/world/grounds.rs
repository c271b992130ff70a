//! Why the world is as it is: for each kind of action, and each of its guards, the fact about the
//! kernel or the person that it states, where that is written or seen, and the case that fails
//! without it.
//!
//! A new kind of action does not compile until it has a row. `model/docs/WORLD.md` is the table to
//! read; tests demand that it is current, that each source and each case is there, and that a
//! mutant without the guard is caught by the case.

mod effects;

pub use effects::EFFECTS;

use super::action::{EnvironmentAction, SystemStep};

/// A guard or an effect, and the fact behind it.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// What the world demands or does.
    pub rule: &'static str,
    /// The fact about the kernel, the person or the library.
    pub fact: &'static str,
    /// Where the fact is from: manual pages, and live tests that show it.
    pub source: &'static str,
    /// The test of `tests/world_steps.rs` or `world_environment.rs` that fails without it.
    pub case: &'static str,
}

const fn ground(
    rule: &'static str,
    fact: &'static str,
    source: &'static str,
    case: &'static str,
) -> Ground {
    Ground { rule, fact, source, case }
}

/// Makes the table out of the rows, and a match that misses no kind.
macro_rules! grounds {
    ($(#[$doc:meta])* $table:ident, $(#[$doc_of:meta])* $of:ident, $action:ident:
        $($kind:ident => [$($ground:expr),+ $(,)?])+) => {
        $(#[$doc])*
        pub const $table: &[(&str, &[Ground])] = &[$((stringify!($kind), &[$($ground),+])),+];

        $(#[$doc_of])*
        #[must_use]
        pub fn $of(action: $action) -> &'static [Ground] {
            let kind = match action {
                $($action::$kind { .. } => stringify!($kind),)+
            };
            let row = $table.iter().find(|(name, _)| *name == kind);
            row.expect("each kind has a row").1
        }
    };
}

grounds! {
    /// The steps of the tree, the kernel and time.
    STEPS,
    /// Why a step is possible when it is.
    of_step, SystemStep:
    Deliver => [
        ground(
            "a frozen actor reads nothing",
            "what was sent waits in the socket until somebody reads",
            "unix(7); live `r10_it_ends_a_tree_whose_actors_are_all_stopped`",
            "who_is_frozen_reads_nothing",
        ),
        ground(
            "who boots reads nothing",
            "a program that does not listen yet leaves what was sent in the socket",
            "unix(7); live `a_cancel_reaches_who_boots`",
            "who_boots_reads_nothing",
        ),
        ground(
            "a message or the end is there",
            "a read returns what was written, or the end of file, and blocks before",
            "read(2)",
            "nothing_is_read_where_nothing_was_sent",
        ),
    ]
    TakeSignal => [
        ground(
            "the signal is pending, whatever else the actor does",
            "a handler runs between any two instructions, at a prompt as elsewhere",
            "signal(7); live `ctrl_c_while_a_command_runs_disturbs_nobody`",
            "a_handler_of_signals_runs_at_a_prompt",
        ),
        ground(
            "any of the pending ones is next",
            "the order in which several pending signals are delivered is not specified",
            "signal(7)",
            "pending_signals_are_taken_in_any_order",
        ),
    ]
    Expire => [
        ground(
            "the timer is armed, and its actor is not frozen",
            "nothing bounds how late a timer is seen, or how early beside everything else",
            "timerfd_create(2); live `a_timer_fires_once_unless_it_is_disarmed_and_not_while_the_process_is_stopped`",
            "a_timer_fires_if_it_is_armed_and_its_actor_is_not_frozen",
        ),
    ]
    EndUserTask => [
        ground(
            "the task was told to end",
            "a program that has not ended of itself goes on until it is cancelled",
            "live `code_that_never_yields_does_not_keep_its_process`",
            "a_user_task_ends_when_it_is_told_to",
        ),
    ]
    Boot => [
        ground(
            "the process was started, and does not listen yet",
            "between the start of a program and its first word any time passes",
            "execve(2); live `an_actor_that_is_held_boots_when_it_is_let_go`",
            "who_was_started_boots_and_nobody_else",
        ),
    ]
    Reap => [
        ground(
            "the process is a zombie, and its parent is not frozen",
            "a child that has ended stays a zombie until its parent waits for it",
            "wait(2); live `zombies_and_daemons_count`",
            "a_zombie_is_reaped_by_a_parent_that_is_not_frozen",
        ),
        ground(
            "or its parent, the root, is dead",
            "init reaps whom nobody else adopts",
            "wait(2); live `nobody_survives_the_death_of_the_root`",
            "init_reaps_whom_the_dead_root_would_have_adopted",
        ),
        ground(
            "where a message is the release, the last word was read",
            "upstream's actor waits for the acknowledgement before it ends",
            "tractor's `pdb_unlock_complete`",
            "under_upstreams_release_a_holder_stays_until_its_last_word_was_read",
        ),
    ]
    Adopt => [
        ground(
            "the orphan lives, and the root has not found it",
            "the kernel makes orphans children of the nearest subreaper",
            "prctl(2), PR_SET_CHILD_SUBREAPER; live `r8_the_prompt_outlives_the_actors_between`",
            "the_root_finds_an_orphan_that_lives",
        ),
        ground(
            "once",
            "a child that is known is not looked for",
            "live `daemons_end_with_their_program`",
            "an_orphan_is_found_once",
        ),
        ground(
            "the root is not frozen",
            "the root looks among its children when it handles events",
            "live `nobody_survives_the_death_of_the_root`",
            "a_root_that_is_frozen_finds_nobody",
        ),
    ]
    SeeChildrenGone => [
        ground(
            "the root waits for the last descendant",
            "the root looks for that only when it ends",
            "live `a_root_that_is_done_cancels_its_children_and_ends_with_its_own_code`",
            "a_root_that_does_not_end_sees_nothing",
        ),
        ground(
            "no process is its child, found or not",
            "waiting fails with ECHILD when there is no child, and succeeds for orphans too",
            "wait(2); live `of_hostile_trees_nobody_is_left`",
            "the_root_sees_nobody_left_once_nobody_is",
        ),
    ]
    ReadBaton => [
        ground(
            "every copy of the baton is closed, and its end is unread",
            "a read returns the end of file once the last descriptor of the other end is closed",
            "unix(7); live `r7_the_death_of_the_holder_frees_the_terminal`",
            "the_end_of_a_baton_is_read_once_every_copy_is_closed",
        ),
        ground(
            "the root serves",
            "nobody else has the other end",
            "unix(7)",
            "a_dead_root_reads_no_baton",
        ),
    ]
    LosePrompt => [
        ground(
            "the prompt is open, the root reads the terminal for it, and is dead",
            "the holder's socket to the root is at its end",
            "unix(7); live `nobody_survives_the_root_and_no_prompt_does`",
            "a_prompt_ends_with_the_process_that_reads_the_terminal",
        ),
    ]
    AskForProgram => [
        ground(
            "the kernel has stopped the program, and its host serves",
            "whoever reads a terminal in the background gets SIGTTIN, and its parent is told that it has stopped",
            "termios(3); waitid(2), WSTOPPED; live `programs_prompt_in_turn_while_the_others_go_on`",
            "a_program_has_the_terminal_in_its_turn",
        ),
    ]
    GiveForeground => [
        ground(
            "the host is granted, and the root is there to pass keys",
            "a host that leads its session may name the foreground group, and SIGCONT lets it go on",
            "tcsetpgrp(3); live `programs_prompt_in_turn_while_the_others_go_on`",
            "a_program_has_the_terminal_in_its_turn",
        ),
    ]
    FinishHost => [
        ground(
            "the program has ended, and the host was not told to end",
            "the end of its program is the end of a host",
            "wait(2); live `when_one_ends_all_do_and_its_code_is_kept`",
            "a_host_ends_with_its_program",
        ),
    ]
    Pass => [
        ground(
            "what the script waits for is so",
            "the script is the test's, which watches the tree",
            "the case files",
            "a_script_goes_on_when_what_it_waits_for_is_so",
        ),
        ground(
            "its turn has come",
            "a script is in order",
            "the case files",
            "a_script_goes_on_step_by_step",
        ),
    ]
}

grounds! {
    /// What the environment does.
    ENVIRONMENT,
    /// Why the environment can do something when it can.
    of_environment, EnvironmentAction:
    Pause => [
        ground(
            "a task of the actor runs",
            "a breakpoint is a call, and somebody must run to call it",
            "live `r2_two_tasks_of_one_actor_queue`",
            "a_breakpoint_needs_a_task_that_runs",
        ),
        ground(
            "the explorer leaves out what is refused on the spot",
            "a request of an actor that was told to stop, ends or has no supervisor is refused",
            "live `a_request_of_a_tree_that_was_told_to_stop_is_refused`",
            "what_would_be_refused_on_the_spot_is_not_tried",
        ),
    ]
    PauseShielded => [
        ground(
            "a task of the actor runs",
            "as above; a cancel does not withdraw it",
            "live `r6_a_shielded_request_outlives_the_cancel`",
            "a_breakpoint_needs_a_task_that_runs",
        ),
    ]
    Answer => [
        ground(
            "the prompt is open, and somebody shows it",
            "a person types where a program reads, which is the root, or upstream's holder",
            "live `r2_whichever_way_a_prompt_ends_the_next_who_waits_has_the_terminal`",
            "a_person_answers_a_prompt_that_somebody_shows",
        ),
        ground(
            "the person may quit",
            "`quit` is among the commands",
            "live `quit_at_a_breakpoint_is_a_failure_to_be_looked_at_above`",
            "a_person_may_quit",
        ),
        ground(
            "the answer needs no budget, and waits for the script",
            "a person who debugs goes on in the end",
            "assumed: [the properties](PROPERTIES.md)",
            "the_person_and_starts_need_no_budget",
        ),
    ]
    Provoke => [
        ground(
            "the actor serves, and has no cause yet",
            "whoever ends, or examines its failure, ends for that and nothing else",
            "live `an_error_climbs_with_its_way_and_ends_all`",
            "an_end_has_one_cause",
        ),
    ]
    FailUnexamined => [
        ground(
            "the actor serves, and was not told to end",
            "a failure that nobody wants to see ends the actor, in an examination too",
            "live `a_failure_that_the_filter_lets_pass_opens_none`",
            "an_examination_can_be_cut_short",
        ),
    ]
    CancelChild => [
        ground(
            "the supervisor serves, and has not asked this child",
            "a program has a handle of each child, and a second request changes nothing",
            "live `a_child_that_is_asked_to_end_while_a_sibling_boots_ends_alone`",
            "a_supervisor_asks_a_child_once",
        ),
    ]
    Interrupt => [
        ground(
            "a Ctrl-C goes to the foreground process group, whole",
            "the terminal sends SIGINT to each process of the group; other sessions have another",
            "termios(3), ISIG; credentials(7); live `r3_a_ctrl_c_of_the_terminal_is_the_roots_to_decide`",
            "a_ctrl_c_goes_to_the_whole_foreground_group",
        ),
        ground(
            "at any time",
            "a person types when they like",
            "live `a_storm_of_ctrl_c_at_the_prompt_disturbs_nobody`",
            "a_ctrl_c_waits_for_nobody",
        ),
        ground(
            "unless it is pending everywhere",
            "a signal that is pending already is not queued once more",
            "signal(7); live `a_storm_of_ctrl_c_ends_a_tree_like_one_does`",
            "a_ctrl_c_that_is_pending_everywhere_changes_nothing",
        ),
    ]
    Signal => [
        ground(
            "the process is alive, booting or not",
            "kill(2) reaches any process; a zombie takes no notice",
            "kill(2); live `kill_int_is_taken_by_who_boots_when_it_has_booted`",
            "signals_reach_whoever_is_alive",
        ),
        ground(
            "each fault strikes whom it is named after",
            "interrupt-one any actor, stop the root, kill the others, kill-root the root",
            "the help of `holdfast check`",
            "each_fault_strikes_whom_it_is_named_after",
        ),
    ]
    Kill => [
        ground(
            "the process is alive, booting or not",
            "SIGKILL cannot be caught, blocked or ignored",
            "signal(7); live `a_death_while_it_boots_fails_the_spawn_at_once`",
            "signals_reach_whoever_is_alive",
        ),
    ]
    Cut => [
        ground(
            "at any time, messages under way or not",
            "either end may close its socket whenever it likes",
            "close(2); live `r9_who_is_cut_off_ends_by_itself`",
            "a_link_breaks_whatever_is_under_way_and_carries_that",
        ),
        ground(
            "both processes are alive, and the link is whole",
            "a death closes it, and what is closed is closed",
            "unix(7); live `who_sends_what_is_no_frame_is_cut_off_and_nobody_else_is`",
            "a_link_of_the_dead_does_not_break_once_more",
        ),
    ]
    Spawn => [
        ground(
            "the supervisor serves and does not end, and has not started it",
            "a program starts children while it runs; a start of one that ends is refused",
            "fork(2); live `an_actor_that_is_held_boots_when_it_is_let_go`",
            "a_supervisor_that_serves_starts_whom_it_has_not_started",
        ),
        ground(
            "at any time that the script does not choose",
            "a program starts children when it likes",
            "the case files",
            "the_person_and_starts_need_no_budget",
        ),
    ]
    Read => [
        ground(
            "the program is there, and does not read yet",
            "a program reads when it likes, whatever its host does",
            "read(2); live `programs_prompt_in_turn_while_the_others_go_on`",
            "a_program_has_the_terminal_in_its_turn",
        ),
    ]
    Type => [
        ground(
            "the program reads in the foreground, and the root passes keys",
            "only who has the foreground gets what is typed",
            "termios(3); live `programs_prompt_in_turn_while_the_others_go_on`",
            "a_program_has_the_terminal_in_its_turn",
        ),
    ]
    TakeBack => [
        ground(
            "the program reads in the foreground, in its host's turn",
            "a host may take the foreground back at any time; the next read stops the program once more",
            "tcsetpgrp(3); live `programs_prompt_in_turn_while_the_others_go_on`",
            "a_program_has_the_terminal_in_its_turn",
        ),
    ]
    Die => [
        ground(
            "the process is alive",
            "a program may end itself, protocol or not",
            "_exit(2); live `a_foreign_program_ends_with_its_actor_and_its_failure_is_one`",
            "signals_reach_whoever_is_alive",
        ),
    ]
    Appear => [
        ground(
            "nobody has announced the process",
            "a grandchild that is not an actor becomes the subreaper's child",
            "prctl(2); live `daemons_end_with_their_program`",
            "what_nobody_has_announced_appears_once",
        ),
    ]
    Vanish => [
        ground(
            "the process is a zombie that the root has not found",
            "a supervisor may be killed between waiting for a child and saying so",
            "wait(2); recorded `an_actor_that_is_killed_between_reaping_a_child_and_saying_so_conforms`",
            "only_a_zombie_that_the_root_has_not_found_is_gone_behind_its_back",
        ),
    ]
    CutShort => [
        ground(
            "the process runs; of its next input it performs a first part",
            "SIGKILL may come between any two system calls",
            "signal(7); recorded `an_actor_that_was_killed_has_performed_any_first_part_of_its_last_line`",
            "who_is_killed_has_performed_a_first_part",
        ),
    ]
}
