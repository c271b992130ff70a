//! The facts behind how steps take effect.

use super::{Ground, ground};

/// How steps take effect: links, processes, the budget.
pub const EFFECTS: &[Ground] = &[
    ground(
        "messages arrive in order, each once",
        "a connected local stream keeps order and loses nothing",
        "unix(7); live `r2_who_asks_first_has_the_terminal_first`",
        "messages_arrive_in_the_order_in_which_they_were_sent",
    ),
    ground(
        "what was sent before a death is read, then the end",
        "what is in the socket outlives its writer",
        "unix(7); recorded `a_torn_last_line_is_the_death_of_its_actor`",
        "what_was_sent_before_a_death_is_read_and_then_the_end",
    ),
    ground(
        "what is sent to the dead is lost",
        "a write to a closed socket fails with EPIPE",
        "unix(7), send(2)",
        "what_is_sent_to_the_dead_is_lost",
    ),
    ground(
        "a baton in a message that is never read closes",
        "descriptors in a socket that is destroyed are closed",
        "unix(7), SCM_RIGHTS",
        "a_baton_that_the_dead_will_not_read_closes",
    ),
    ground(
        "the baton of a holder closes with its process",
        "the kernel closes all descriptors of a process that ends",
        "_exit(2); live `r7_the_death_of_the_holder_frees_the_terminal`",
        "the_baton_of_a_holder_closes_with_its_process",
    ),
    ground(
        "two equal signals are one",
        "standard signals do not queue",
        "signal(7); live `a_storm_of_ctrl_c_ends_a_tree_like_one_does`",
        "two_equal_signals_are_one",
    ),
    ground(
        "who boots ignores SIGINT and dies of SIGTERM",
        "an ignored signal stays ignored over execve, any other has its default",
        "execve(2), signal(7); live `who_boots_after_the_ctrl_c_ends_in_an_orderly_way`",
        "who_boots_ignores_sigint_and_dies_of_sigterm",
    ),
    ground(
        "SIGKILL takes who boots too",
        "SIGKILL cannot be caught, blocked or ignored",
        "signal(7); live `a_death_while_it_boots_fails_the_spawn_at_once`",
        "a_kill_takes_who_boots_too",
    ),
    ground(
        "a zombie stays until it is reaped",
        "the kernel keeps the status for the parent",
        "wait(2); live `zombies_are_reaped_while_the_program_runs`",
        "a_zombie_stays_until_it_is_reaped",
    ),
    ground(
        "who reaps closes its end of the link",
        "the library drops a child's socket when the child is gone",
        "live `an_actor_started_again_is_another_one`",
        "who_reaps_closes_the_link_with_what_is_unread",
    ),
    ground(
        "without a subreaper an orphan is init's, which reaps at once",
        "the kernel makes orphans children of init",
        "wait(2), prctl(2)",
        "without_a_subreaper_an_orphan_is_inits",
    ),
    ground(
        "whom the root leaves behind is init's",
        "the dead root adopts nobody",
        "wait(2); live `nobody_survives_the_death_of_the_root`",
        "who_the_root_leaves_behind_is_inits",
    ),
    ground(
        "a root that was killed has not exited",
        "the status says whether a signal ended a process",
        "wait(2); live `a_root_that_is_killed_leaves_nobody_and_the_modes_as_they_were`",
        "a_root_that_was_killed_has_not_exited",
    ),
    ground(
        "the budget bounds what is tried",
        "a bound of the search, and not a fact",
        "the bounds of a run",
        "what_the_budget_has_left_is_tried_and_no_more",
    ),
];
