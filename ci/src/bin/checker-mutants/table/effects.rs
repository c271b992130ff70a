//! Mutants of the world's effects: processes, links, how an action begins.

use super::FileRows;

/// What comes of it.
pub(crate) const EFFECTS: &[FileRows] = &[
    (
        "model/check/src/world/process.rs",
        &[
            (
                "*two equal signals are two",
                "(what the kernel does not do)",
                "!self.iter().any(|pending| pending == signal)",
                "true",
                "check world_steps::two_equal_signals_are_one",
            ),
            (
                "*of two signals the last says where it came from",
                "runs that differ",
                "!self.iter().any(|pending| pending == signal)",
                "{ self.signals.retain(|(pending, _)| *pending != signal); true }",
                "check census::the_first_of_two_interrupts_says_where_it_came_from",
            ),
            (
                "*a kill of who boots has no effect",
                "deaths while booting",
                "self.end_at_once(topology, actor, Status::Killed, effects)",
                "if !matches!(self, Self::Booting(_)) { self.end_at_once(topology, actor, Status::Killed, effects) }",
                "check world_environment::a_kill_takes_who_boots_too",
            ),
            (
                "*a zombie vanishes",
                "zombies that nobody reaps",
                "Self::Zombie(status, parent)\n",
                "Self::Gone\n",
                "check world_steps::a_zombie_stays_until_it_is_reaped",
            ),
            (
                "who boots survives SIGTERM",
                "ladders at who boots",
                "!(signal == Signal::Interrupt && ignored)",
                "signal == Signal::Interrupt && !ignored",
                "check world_environment::who_boots_ignores_sigint_and_dies_of_sigterm",
            ),
            (
                "who boots dies of SIGINT",
                "boots that a Ctrl-C kills",
                "signal == Signal::Interrupt && ignored",
                "signal == Signal::Interrupt && ignored && false",
                "check world_environment::who_boots_ignores_sigint_and_dies_of_sigterm",
            ),
            (
                "an orphan is init's",
                "orphans that the root must end",
                "subreaper && dead != topology.root()",
                "subreaper && false",
                "check world_steps::the_root_finds_an_orphan_that_lives",
            ),
            (
                "there is always a subreaper",
                "orphans that live on",
                "topology.config().policy.orphans == Orphans::End",
                "true",
                "check world_steps::without_a_subreaper_an_orphan_is_inits",
            ),
            (
                "the dead root adopts",
                "whom nobody reaps",
                "subreaper && dead != topology.root()",
                "subreaper",
                "check world_steps::who_the_root_leaves_behind_is_inits",
            ),
            (
                "a killed root has exited",
                "excuses of SIGKILL",
                "RootEnd::Killed",
                "RootEnd::Exited",
                "check world_environment::a_root_that_was_killed_has_not_exited",
            ),
            (
                "a holder's baton outlives it",
                "locks that the dead keep",
                "running.node.requests().open()",
                "running.node.requests().open().filter(|_| false)",
                "check world_steps::the_baton_of_a_holder_closes_with_its_process",
            ),
        ],
    ),
    (
        "model/check/src/world/link.rs",
        &[
            (
                "messages overtake each other",
                "orders that cannot be",
                "lane.queue.pop_front()",
                "lane.queue.pop_back()",
                "check world_steps::messages_arrive_in_the_order_in_which_they_were_sent",
            ),
            (
                "a baton that is never read stays out",
                "locks that the dead keep",
                "lost.into_iter()",
                "Vec::new().into_iter()",
                "check world_steps::a_baton_that_the_dead_will_not_read_closes",
            ),
            (
                "*death leaves nothing unread",
                "last words",
                "lost = self.down.lose_reader()",
                "{ lost = self.down.lose_reader(); self.up.queue.clear(); }",
                "check world_steps::what_was_sent_before_a_death_is_read_and_then_the_end",
            ),
            (
                "the dead are written to",
                "(what nobody reads)",
                "self.queue.drain(..).filter_map(baton_in).collect()",
                "{ self.state = LaneState::Open; self.queue.drain(..).filter_map(baton_in).collect() }",
                "check world_steps::what_is_sent_to_the_dead_is_lost",
            ),
        ],
    ),
    (
        "model/check/src/world/begin.rs",
        &[
            (
                "who reaps reads on",
                "(words of the dead after the end)",
                "closes && config.tree.supervisor(actor) == Some(parent)",
                "closes && false",
                "check world_steps::who_reaps_closes_the_link_with_what_is_unread",
            ),
            (
                "upstream does not read on",
                "(what upstream hears of the dead)",
                "closes && config.tree.supervisor(actor) == Some(parent)",
                "config.tree.supervisor(actor) == Some(parent)",
                "check world_steps::who_reaps_closes_the_link_with_what_is_unread",
            ),
        ],
    ),
];
