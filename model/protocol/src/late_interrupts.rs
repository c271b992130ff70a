//! Interrupts at a root that has no terminal.
//!
//! Runs in the root. A shield protects a person at a prompt, and without a terminal there is none: a
//! prompt is a report that goes by. So an interrupt that meets a shield is not lost there. As with a
//! signal that is blocked, it comes when the shield is gone.
//!
//! # Rules
//! 1. When the shield is gone, each interrupt is obeyed as what it is (R11).
//! 2. Where reports follow one another so closely that the shield never goes, the end of the first
//!    report makes the interrupt an order to stop, which no prompt puts off (R10).

use super::input::Origin;
use super::sigint::Disposition;
use alloc::vec::Vec;

/// The interrupts that have met a shield.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LateInterrupts {
    origins: Vec<Origin>,
    /// Whether the report that the first of them met is out.
    report_is_out: bool,
}

/// What is to be done about the interrupts that have waited.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateInterrupt {
    /// Nothing now.
    None,
    /// This one is taken.
    Interrupt(Origin),
    /// The tree is told to stop, for all of them.
    Stop,
}

impl LateInterrupts {
    /// Keeps an interrupt that has met a shield.
    pub fn keep(&mut self, origin: Origin) {
        self.report_is_out &= !self.origins.is_empty();
        self.origins.push(origin);
    }

    /// A report is out.
    pub fn report_out(&mut self) {
        self.report_is_out = true;
    }

    /// What is to be done now, while the root has this disposition.
    pub fn due(&mut self, disposition: Disposition) -> LateInterrupt {
        match disposition {
            Disposition::Obey => match self.origins.pop() {
                Some(origin) => LateInterrupt::Interrupt(origin),
                None => LateInterrupt::None,
            },
            Disposition::Shield if self.report_is_out && !self.origins.is_empty() => {
                self.origins.clear();
                LateInterrupt::Stop
            }
            Disposition::Shield => LateInterrupt::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_comes_when_the_shield_is_gone() {
        let mut late = LateInterrupts::default();
        late.keep(Origin::Process);
        assert_eq!(late.due(Disposition::Shield), LateInterrupt::None);
        late.report_out();
        assert_eq!(late.due(Disposition::Obey), LateInterrupt::Interrupt(Origin::Process));
        assert_eq!(late.due(Disposition::Obey), LateInterrupt::None);
    }

    #[test]
    fn two_interrupts_are_two() {
        let mut late = LateInterrupts::default();
        late.keep(Origin::Process);
        late.keep(Origin::Process);
        assert_eq!(late.due(Disposition::Obey), LateInterrupt::Interrupt(Origin::Process));
        assert_eq!(late.due(Disposition::Obey), LateInterrupt::Interrupt(Origin::Process));
        assert_eq!(late.due(Disposition::Obey), LateInterrupt::None);
    }

    #[test]
    fn where_the_shield_never_goes_the_end_of_the_report_makes_it_a_stop() {
        let mut late = LateInterrupts::default();
        late.report_out();
        late.keep(Origin::Terminal);
        assert_eq!(late.due(Disposition::Shield), LateInterrupt::None, "its report is not out");
        late.keep(Origin::Terminal);
        late.report_out();
        assert_eq!(late.due(Disposition::Shield), LateInterrupt::Stop);
        assert_eq!(late.due(Disposition::Shield), LateInterrupt::None);
    }
}
