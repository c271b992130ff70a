//! The state of the tree below, asked for and put together.

use super::Actor;
use crate::event::Event;
use crate::hands::Asked;
use crate::kin::KinKind;
use crate::survey::{ChildReport, Report, Survey, Token};
use crate::wire::Frame;
use std::time::Duration;

/// How long a survey waits for actors that do not answer.
const SURVEY: Duration = Duration::from_secs(1);

impl Actor {
    pub(super) fn own_report(&self) -> Report {
        let live = self.hands();
        let children = live.kin.iter().map(|(id, kin)| ChildReport {
            pid: id.0,
            name: kin.name.clone(),
            answers: kin.kind == KinKind::Actor
                && kin.booting.is_none()
                && live.neighbours.is_linked(*id),
            rung: self
                .node()
                .children()
                .get(id)
                .map_or("gone".to_owned(), |child| format!("{:?}", child.rung).to_lowercase()),
        });
        Report::of(self.node(), &live.path_text(), children.collect())
    }

    pub(super) fn answer_survey(&mut self, token: Token) {
        let report = Box::new(self.own_report());
        self.hands_mut().say_up(&Frame::Report { token, report });
        self.ask_children(token);
    }

    pub(super) fn ask_children(&mut self, token: Token) {
        let events = self.hands().events.clone();
        for child in self.hands_mut().neighbours.children_mut() {
            child.say(&Frame::Survey { token }, None, &events);
        }
    }

    pub(super) fn report(&mut self, token: Token, report: Report) {
        if token.asker != self.hands().me.0 {
            return self.hands_mut().say_up(&Frame::Report { token, report: Box::new(report) });
        }
        let Some(asked) = self.hands_mut().surveys.get_mut(&token.serial) else { return };
        asked.survey.add(report);
        if asked.survey.is_complete() {
            self.finish_survey(token.serial);
        }
    }

    pub(super) fn start_survey(&mut self, reply: Box<dyn FnOnce(String)>) {
        let mut survey = Survey::default();
        survey.add(self.own_report());
        let complete = survey.is_complete();
        let live = self.hands_mut();
        let serial = live.next_survey;
        live.next_survey = serial.wrapping_add(1);
        live.surveys.insert(serial, Asked { survey, reply });
        if complete {
            return self.finish_survey(serial);
        }
        let token = Token { asker: live.me.0, serial };
        let events = live.events.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(SURVEY).await;
            let _ = events.send(Event::SurveyOverdue(serial));
        });
        self.ask_children(token);
    }

    /// Who has gone answers no survey.
    pub(super) fn lose_in_surveys(&mut self, pid: u32) {
        let mut complete = Vec::new();
        for (serial, asked) in &mut self.hands_mut().surveys {
            asked.survey.lose(pid);
            if asked.survey.is_complete() {
                complete.push(*serial);
            }
        }
        for serial in complete {
            self.finish_survey(serial);
        }
    }

    pub(super) fn finish_survey(&mut self, serial: u32) {
        let live = self.hands_mut();
        if let Some(Asked { survey, reply }) = live.surveys.remove(&serial) {
            reply(survey.render(live.me));
        }
    }

    /// SIGUSR1: the tree below this actor, to the standard error and to a file.
    pub(super) fn dump(&mut self) {
        let (pid, path) = (self.hands().me.0, self.hands().path_text());
        self.start_survey(Box::new(move |text| {
            let file = std::env::temp_dir().join(format!("holdfast-{pid}.tree"));
            let written = match std::fs::write(&file, &text) {
                Ok(()) => format!("also in {}", file.display()),
                Err(error) => format!("not in {}: {error}", file.display()),
            };
            crate::output::write_error(&format!("the tree of {path} ({written}):\n{text}"));
        }));
    }
}
