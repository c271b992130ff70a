//! The mutants: a text of a file of the shared modules, and what stands there instead.

/// One way to break the shared modules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mutant {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What is wrong with it.
    pub(crate) what: &'static str,
    /// The file, from the workspace's root.
    pub(crate) file: &'static str,
    /// What stands there, once.
    pub(crate) text: &'static str,
    /// What the mutant has instead.
    pub(crate) instead: &'static str,
}

impl Mutant {
    /// The module that it breaks, after which the tests of that module are named.
    pub(crate) fn module(&self) -> &'static str {
        self.name.split('-').next().unwrap_or(self.name)
    }
}

const PARK: &str = "model/sync/src/park.rs";
const MAILBOX: &str = "model/sync/src/mailbox.rs";
const TICKET: &str = "model/sync/src/ticket.rs";
const RELEASE: &str = "model/sync/src/release.rs";
const CHILDREN: &str = "model/sync/src/children.rs";
const FLAG: &str = "model/sync/src/flag.rs";

/// All of them, by module.
pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "park-no-notify",
        what: "the wake-up is noted and the sleeper is not notified",
        file: PARK,
        text: "        self.woken.notify_one();\n",
        instead: "",
    },
    Mutant {
        name: "park-notify-before-state",
        what: "the sleeper is notified before there is a reason to wake",
        file: PARK,
        text: "        *lock(&self.sleep) = Sleep::Woken;\n        self.woken.notify_one();\n",
        instead: "        self.woken.notify_one();\n        *lock(&self.sleep) = Sleep::Woken;\n",
    },
    Mutant {
        name: "park-forgets-early-wake",
        what: "a wake-up between the poll and falling asleep is thrown away",
        file: PARK,
        text: "        let mut sleep = lock(&self.sleep);\n        while",
        instead: "        let mut sleep = lock(&self.sleep);\n        *sleep = Sleep::Asleep;\n        while",
    },
    Mutant {
        name: "park-looks-outside-the-lock",
        what: "it looks, lets the lock go, and then falls asleep whatever happened between",
        file: PARK,
        text: "        while *sleep == Sleep::Asleep {\n            sleep = wait(&self.woken, sleep);\n",
        instead: "        while *sleep == Sleep::Asleep {\n            drop(sleep);\n            sleep = wait(&self.woken, lock(&self.sleep));\n",
    },
    Mutant {
        name: "mailbox-no-wake",
        what: "a send wakes nobody",
        file: MAILBOX,
        text: "        drop(state);\n        wake(waker);\n        Ok(())",
        instead: "        drop(state);\n        drop(waker);\n        Ok(())",
    },
    Mutant {
        name: "mailbox-wake-before-push",
        what: "the receiver is woken before the item is there",
        file: MAILBOX,
        text: "        let mut state = lock(&self.senders.state);
        match state.ends {
            QueueEnds::Open | QueueEnds::Ended => state.queue.push_back(item),
            QueueEnds::Closed => return Err(Closed(item)),
        }
        let waker = state.waker.take();
        drop(state);
        wake(waker);
",
        instead: "        let waker = lock(&self.senders.state).waker.take();
        wake(waker);
        let mut state = lock(&self.senders.state);
        match state.ends {
            QueueEnds::Open | QueueEnds::Ended => state.queue.push_back(item),
            QueueEnds::Closed => return Err(Closed(item)),
        }
        drop(state);
",
    },
    Mutant {
        name: "mailbox-last-in-first-out",
        what: "the newest item is taken first",
        file: MAILBOX,
        text: "        if let Some(item) = state.queue.pop_front() {",
        instead: "        if let Some(item) = state.queue.pop_back() {",
    },
    Mutant {
        name: "mailbox-end-wakes-nobody",
        what: "the last sender goes and the receiver sleeps on",
        file: MAILBOX,
        text: "        let waker = state.waker.take();\n        drop(state);\n        wake(waker);\n    }\n",
        instead: "    }\n",
    },
    Mutant {
        name: "mailbox-end-before-items",
        what: "the end is told before what was sent is taken",
        file: MAILBOX,
        text: "        let mut state = lock(&self.state);\n        if let Some",
        instead: "        let mut state = lock(&self.state);\n        if state.ends == QueueEnds::Ended {\n            return Poll::Ready(None);\n        }\n        if let Some",
    },
    Mutant {
        name: "mailbox-poll-in-two-steps",
        what: "it looks, lets the lock go, and then leaves its waker",
        file: MAILBOX,
        text: "                let before = state.waker.replace(cx.waker().clone());\n                drop(state);\n                drop(before);\n",
        instead: "                drop(state);\n                let before = lock(&self.state).waker.replace(cx.waker().clone());\n                drop(before);\n",
    },
    Mutant {
        name: "mailbox-keeps-old-waker",
        what: "the first waker stays, whoever polls later",
        file: MAILBOX,
        text: "                let before = state.waker.replace(cx.waker().clone());\n",
        instead: "                let before = ();\n                state.waker.get_or_insert_with(|| cx.waker().clone());\n",
    },
    Mutant {
        name: "mailbox-keeps-contents",
        what: "the receiver goes and its contents stay, senders and tickets among them",
        file: MAILBOX,
        text: "        let contents = mem::take(&mut state.queue);\n",
        instead: "        let contents = mem::size_of_val(&state.queue);\n",
    },
    Mutant {
        name: "ticket-no-wake",
        what: "an end wakes nobody",
        file: TICKET,
        text: "                drop(state);\n                wake(waker);\n                TicketEnd::Now",
        instead: "                drop((state, waker));\n                TicketEnd::Now",
    },
    Mutant {
        name: "ticket-loss-wakes-nobody",
        what: "the last ticket goes and who pauses sleeps on",
        file: TICKET,
        text: "            let waker = state.waker.take();\n            drop(state);\n            wake(waker);\n        }\n    }\n",
        instead: "        }\n    }\n",
    },
    Mutant {
        name: "ticket-end-in-two-steps",
        what: "it looks whether it is open, lets the lock go, and then ends it",
        file: TICKET,
        text: "            Phase::Open => {\n                state.phase = Phase::Ended(outcome);\n",
        instead: "            Phase::Open => {\n                drop(state);\n                let mut state = lock(&self.tickets.state);\n                state.phase = Phase::Ended(outcome);\n",
    },
    Mutant {
        name: "ticket-abandon-in-two-steps",
        what: "it is found open and abandoned later, whoever ended it between",
        file: TICKET,
        text: "        match mem::replace(&mut state.phase, Phase::Abandoned) {\n            Phase::Open => {\n                drop(state);\n",
        instead: "        match mem::replace(&mut state.phase, Phase::Open) {\n            Phase::Open => {\n                drop(state);\n                lock(&self.state).phase = Phase::Abandoned;\n",
    },
    Mutant {
        name: "ticket-abandon-untold",
        what: "nobody hears that nobody waits",
        file: TICKET,
        text: "                    on_abandon();\n",
        instead: "                    drop(on_abandon);\n",
    },
    Mutant {
        name: "ticket-every-drop-loses",
        what: "the drop of any ticket is a loss, not only that of the last",
        file: TICKET,
        text: "        Self { tickets: Arc::clone(&self.tickets) }",
        instead: "        Self { tickets: Arc::new(Tickets { state: Arc::clone(&self.tickets.state) }) }",
    },
    Mutant {
        name: "release-two-firsts",
        what: "it looks whether there was an answer, lets the lock go, and then takes the guard away",
        file: RELEASE,
        text: "    let pending = lock(state).take();\n    match pending {\n        Some(PendingRelease { deliver, .. }) => {\n            deliver(answer);\n            Delivery::First\n",
        instead: "    let pending = lock(state).is_some();\n    match pending.then_some(()) {\n        Some(()) => {\n            let pending = lock(state).take();\n            if let Some(PendingRelease { deliver, .. }) = pending {\n                deliver(answer);\n            }\n            Delivery::First\n",
    },
    Mutant {
        name: "release-drop-delivers-nothing",
        what: "a prompt that panicked is never released",
        file: RELEASE,
        text: "            deliver(on_drop);\n",
        instead: "            drop((deliver, on_drop));\n",
    },
    Mutant {
        name: "release-remote-puts-off-drop",
        what: "a prompt that panicked is not released while the driver may revoke it",
        file: RELEASE,
        text: "        Remote { state: Arc::clone(&self.guards.state) }",
        instead: "        Box::leak(Box::new(self.clone()));\n        Remote { state: Arc::clone(&self.guards.state) }",
    },
    Mutant {
        name: "children-reap-in-two-steps",
        what: "the child is reaped, the lock let go, and the child forgotten later",
        file: CHILDREN,
        text: "            Reap::Reaped(_) => table.remove(&child),\n",
        instead: "            Reap::Reaped(_) => {\n                drop(table);\n                table = lock(&self.table);\n                table.remove(&child)\n            }\n",
    },
    Mutant {
        name: "children-never-forgotten",
        what: "a child that was reaped stays in the table",
        file: CHILDREN,
        text: "            Reap::Reaped(_) => table.remove(&child),\n",
        instead: "            Reap::Reaped(_) => None::<H>,\n",
    },
    Mutant {
        name: "flag-raise-relaxed",
        what: "raising publishes nothing",
        file: FLAG,
        text: "self.state.up.swap(true, Ordering::AcqRel)",
        instead: "self.state.up.swap(true, Ordering::Relaxed)",
    },
    Mutant {
        name: "flag-look-relaxed",
        what: "looking sees nothing that was published",
        file: FLAG,
        text: "self.up.load(Ordering::Acquire)",
        instead: "self.up.load(Ordering::Relaxed)",
    },
    Mutant {
        name: "flag-raise-in-two-steps",
        what: "it looks whether it is up, and then raises it",
        file: FLAG,
        text: "look(self.state.up.swap(true, Ordering::AcqRel))",
        instead: "self.look();\n        self.state.up.store(true, Ordering::Release)",
    },
    Mutant {
        name: "flag-wakes-nobody",
        what: "raising wakes nobody",
        file: FLAG,
        text: "wakers.into_values().for_each(Waker::wake);",
        instead: "drop(wakers);",
    },
    Mutant {
        name: "flag-wakes-one",
        what: "raising wakes the first who waits",
        file: FLAG,
        text: "wakers.into_values().for_each(Waker::wake);",
        instead: "wakers.into_values().take(1).for_each(Waker::wake);",
    },
    Mutant {
        name: "flag-wakes-before-it-is-up",
        what: "who waits is woken, looks, and sees it down",
        file: FLAG,
        text: "        let before = look(self.state.up.swap(true, Ordering::AcqRel));\n        let wakers = mem::take(&mut lock(&self.state.waiters).wakers);\n        wakers.into_values().for_each(Waker::wake);\n",
        instead: "        let wakers = mem::take(&mut lock(&self.state.waiters).wakers);\n        wakers.into_values().for_each(Waker::wake);\n        let before = look(self.state.up.swap(true, Ordering::AcqRel));\n",
    },
    Mutant {
        name: "flag-no-second-look",
        what: "it looks before it takes the lock, and not again under it",
        file: FLAG,
        text: "        let mut waiters = lock(&state.waiters);\n        if state.look() == FlagLevel::Up {\n            return Poll::Ready(());\n        }\n",
        instead: "        let mut waiters = lock(&state.waiters);\n",
    },
];

#[cfg(test)]
mod tests {
    use super::MUTANTS;
    use std::path::Path;

    /// A renaming in the shared modules must reach the table: what breaks nothing tests nothing.
    #[test]
    fn what_a_mutant_replaces_stands_once_in_its_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for mutant in MUTANTS {
            let file = root.join(mutant.file);
            let text = std::fs::read_to_string(&file).expect("the file of a mutant is there");
            let found = text.matches(mutant.text).count();
            assert_eq!(found, 1, "{} in {}:\n{}", mutant.name, mutant.file, mutant.text);
        }
    }
}
