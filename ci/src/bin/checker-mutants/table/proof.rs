//! Mutants of the proof for every size: its clauses, its neighbours, its rests.

use super::FileRows;

/// What the proof claims, from whom, beside what.
pub(crate) const PROOF: &[FileRows] = &[
    (
        "model/prove/src/statement/judge.rs",
        &[
            (
                "a hold is not needed above a prompt",
                "a hold that is lost at any level",
                "!below || holds",
                "true",
                "prove second_judge::two_judges_agree",
            ),
            (
                "a prompt needs no grant above",
                "a prompt that the link above has not granted",
                "!open || said.may_prompt()",
                "true",
                "prove second_judge::two_judges_agree",
            ),
            (
                "an asker may be forgotten",
                "a request that nobody above was told is over",
                "!asked || knows",
                "true",
                "prove second_judge::two_judges_agree",
            ),
            (
                "a hold may be stale",
                "a hold for what is over below",
                "!stale",
                "true",
                "prove second_judge::two_judges_agree",
            ),
            (
                "the lock need not be the holder's",
                "a baton that is out without the lock",
                "!out || owns",
                "true",
                "prove second_judge::two_judges_agree",
            ),
            (
                "a lock needs no baton",
                "a lock that nobody gives back",
                "!owns || exists",
                "true",
                "prove second_judge::two_judges_agree",
            ),
            (
                "a ladder signals under a prompt",
                "a signal to a child, while a prompt may be open in its branch",
                "forced || !before.prompt_in_child()",
                "true",
                "prove rules::each_rule_taken_out_is_violated_where_it_is_needed",
            ),
        ],
    ),
    (
        "model/prove/src/statement/side.rs",
        &[(
            "a child says nothing that it may",
            "all that a child says",
            "said.says(**message).is_ok()",
            "said.says(**message).is_ok() && self.far == LinkEnd::Upper",
            "prove cover::every_state_of_a_random_run_is_a_state_of_the_proof",
        )],
    ),
    (
        "model/prove/src/statement/environment.rs",
        &[
            (
                "no child dies",
                "deaths below",
                "around.kid == KidLife::Alive",
                "around.kid == KidLife::Alive && self.view.focus == Focus::Root",
                "prove cover::every_state_of_a_random_run_is_a_state_of_the_proof",
            ),
            (
                "no baton closes",
                "locks that come back",
                "self.view.around.baton == BatonLife::Out",
                "self.view.around.baton == BatonLife::Out && self.view.around.killed",
                "prove cover::every_state_of_a_random_run_is_a_state_of_the_proof",
            ),
            (
                "no grace ends",
                "ladders that climb",
                "around.grace",
                "around.grace && around.killed",
                "prove cover::every_state_of_a_random_run_is_a_state_of_the_proof",
            ),
            (
                "no time to yield ends",
                "holders that do not yield",
                "around.yields",
                "around.yields && around.killed",
                "prove cover::every_state_of_a_random_run_is_a_state_of_the_proof",
            ),
        ],
    ),
    (
        "model/prove/src/statement/rest.rs",
        &[
            (
                "nobody waits beside",
                "own requests of other tasks",
                "!focus.is_root() || owned",
                "false",
                "prove commute::every_step_of_a_node_of_any_size_is_among_those_beside_the_rests",
            ),
            (
                "the lock is never another's",
                "what happens while somebody else has the terminal",
                "owner == Some(OTHER) || owner == Some(MINE)",
                "owner == Some(MINE)",
                "prove commute::every_step_of_a_node_of_any_size_is_among_those_beside_the_rests",
            ),
        ],
    ),
    (
        "model/prove/src/statement/leads_to.rs",
        &[
            (
                "a baton that is closed is given back already",
                "a lock that stays lent",
                "view.around.baton == BatonLife::Closed",
                "view.around.baton == BatonLife::Read",
                "prove progress::each_move_that_is_relied_on_is_needed",
            ),
            (
                "a forced root need not end its children",
                "a stop that never reaps",
                "matches!(view.around.kid, KidLife::Alive | KidLife::Zombie) && !view.around.killed",
                "matches!(view.around.kid, KidLife::Zombie) && !view.around.killed",
                "prove progress::each_move_that_is_relied_on_is_needed",
            ),
            (
                "a root is not told to stop",
                "a stop that hangs",
                "told && !view.around.killed",
                "told && view.around.killed",
                "prove progress::each_move_that_is_relied_on_is_needed",
            ),
        ],
    ),
];
