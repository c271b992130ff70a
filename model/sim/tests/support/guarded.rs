//! Which property falls first where whole trees of drivers run under shuttle without a rule.

use holdfast_check::property::PropertyId;
use holdfast_protocol::Rule;

/// Each rule, and the property that the simulated trees catch its absence by.
pub(crate) const GUARDED: [(Rule, PropertyId); 12] = [
    (Rule::R1, PropertyId::AncestorsKnow),
    (Rule::R2, PropertyId::OnePrompt),
    (Rule::R3, PropertyId::InterruptShielded),
    (Rule::R4, PropertyId::NoCancelUnderHold),
    (Rule::R5, PropertyId::NoSignalUnderHold),
    (Rule::R6, PropertyId::NoPromptAfterCancel),
    (Rule::R7, PropertyId::ReleasedOnce),
    (Rule::R8, PropertyId::ReleasedOnce),
    (Rule::R9, PropertyId::NoneLeft),
    (Rule::R10, PropertyId::StopIsBounded),
    (Rule::R11, PropertyId::InterruptObeyed),
    (Rule::R12, PropertyId::NothingStale),
];
