//! SIGINT (R3, R11) and the way out (R10).

use super::{Node, StopOrder, TreePosition, Uplink};
use crate::input::{Cause, Origin, Signal, Status};
use crate::lock::client::RequestStage;
use crate::output::{Notice, Outbox, Output};
use crate::policy::{Bystander, Orphans, SecondInterrupt, Shield, StopSignal};
use crate::sigint::Disposition;
use crate::teardown::Teardown;
use crate::timer::Timer;
use alloc::vec::Vec;

impl Node {
    pub(super) fn signalled(&mut self, signal: Signal, origin: Origin, out: &mut Outbox) {
        match signal {
            Signal::Interrupt => self.interrupted(origin, out),
            Signal::Terminate | Signal::Hangup | Signal::Quit => self.stopped(out),
        }
    }

    /// What this actor does on a SIGINT: a shield counts where the policy has one.
    #[must_use]
    pub fn on_interrupt(&self) -> Disposition {
        match self.policy.shield() {
            Shield::On => self.disposition(),
            Shield::Off => Disposition::Obey,
        }
    }

    fn interrupted(&mut self, origin: Origin, out: &mut Outbox) {
        let shielded = self.on_interrupt() == Disposition::Shield;
        match (&self.position, origin, self.policy.bystander()) {
            (TreePosition::Below { .. }, Origin::Terminal, Bystander::LeavesItToRoot) => {
                out.notice(Notice::InterruptLeftToRoot);
            }
            (TreePosition::Below { uplink: Uplink::Ended, .. }, _, _)
                if shielded && self.policy.orphans() == Orphans::LiveOn =>
            {
                // Upstream's handler lets go when its parent channel is closed.
                self.obey_interrupt(out);
            }
            _ if shielded => out.notice(Notice::InterruptShielded),
            _ => self.obey_interrupt(out),
        }
    }

    fn obey_interrupt(&mut self, out: &mut Outbox) {
        match (self.teardown, self.policy.second_interrupt()) {
            (Teardown::NotAsked, _) => {
                out.push(Output::InterruptObeyed);
                self.request_teardown(Cause::Interrupted, out);
            }
            (Teardown::Running(_), SecondInterrupt::Climbs) => {
                out.push(Output::InterruptObeyed);
                self.hurry(out);
            }
            (Teardown::Running(_), SecondInterrupt::Swallowed)
            | (Teardown::Deferred(_) | Teardown::Over, _) => {
                out.notice(Notice::InterruptTooLate);
            }
        }
    }

    fn stopped(&mut self, out: &mut Outbox) {
        match self.policy.stop() {
            StopSignal::Dies => {
                self.teardown = Teardown::Over;
                out.push(Output::Exit { status: Status::Killed });
            }
            StopSignal::Deferred => self.request_teardown(Cause::Stopped, out),
            StopSignal::Revokes => self.yield_prompt(out),
        }
    }

    /// R10: at the root the whole tree yields, below it this actor.
    fn yield_prompt(&mut self, out: &mut Outbox) {
        self.request_teardown(Cause::Stopped, out);
        let TreePosition::Root { server, stop } = &mut self.position else {
            for own in self
                .requests
                .iter()
                .filter(|own| own.stage == RequestStage::Open)
                .collect::<Vec<_>>()
            {
                self.close_prompt(own, out);
            }
            return;
        };
        if *stop == StopOrder::Received {
            return;
        }
        *stop = StopOrder::Received;
        let owner = server.owner();
        self.refuse_waiting(out);
        if let Some(request) = owner {
            if request.actor != self.id {
                out.push(Output::Arm { timer: Timer::Yield(request) });
            }
            self.revoke(request, out);
        }
    }
}
