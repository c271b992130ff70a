//! The state of the tree below, asked for and put together.

use crate::child_record::ChildKind;
use crate::effects::{ActorResources, PendingPause, PendingSurvey};
use crate::event::{Asker, DriverEvent};
use crate::recorder::now_ns;
use crate::survey::{ChildReport, Report, Survey, SurveyTopic, Token};
use crate::wire::Frame;
use holdfast_protocol::Node;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// How long a survey waits for actors that do not answer.
const SURVEY: Duration = Duration::from_secs(1);

impl ActorResources {
    fn own_report(&self, node: &Node) -> Report {
        let children = self.records.iter().map(|(id, record)| ChildReport {
            pid: id.0,
            name: record.name.clone(),
            answers: record.kind == ChildKind::Actor
                && record.booting.is_none()
                && self.peers.is_linked(*id),
            rung: node
                .children()
                .get(id)
                .map_or("gone".to_owned(), |child| format!("{:?}", child.rung).to_lowercase()),
        });
        let waits = self.pending.values().filter_map(|pending| match pending {
            PendingPause::Breakpoint(Some(Asker::Task(scene)), ..)
            | PendingPause::PostMortem(Some(scene)) => Some(scene.wait()),
            PendingPause::Breakpoint(Some(Asker::Program(_)), ..) => Some("a program".to_owned()),
            // At its prompt.
            PendingPause::Breakpoint(None, ..) | PendingPause::PostMortem(None) => None,
        });
        Report::of(node, &self.path_text(), children.collect(), waits.collect())
    }

    pub(super) fn answer_survey(&mut self, node: &Node, token: Token) {
        let report = Box::new(self.own_report(node));
        self.say_up(&Frame::Report { token, report });
        self.ask_children(token);
    }

    fn ask_children(&mut self, token: Token) {
        for child in self.peers.children_mut() {
            child.say(&Frame::Survey { token }, None, &self.senders);
        }
    }

    pub(super) fn report(&mut self, token: Token, report: Report) {
        if token.asker != self.me.0 {
            return self.say_up(&Frame::Report { token, report: Box::new(report) });
        }
        let Some(pending) = self.surveys.get_mut(&token.serial) else { return };
        pending.survey.add(report);
        if pending.survey.is_complete() {
            self.finish_survey(token.serial);
        }
    }

    pub(super) fn start_survey(
        &mut self,
        node: &Node,
        about: SurveyTopic,
        reply: Box<dyn FnOnce(String)>,
    ) {
        let mut survey = Survey::default();
        survey.add(self.own_report(node));
        let complete = survey.is_complete();
        let serial = self.next_survey;
        self.next_survey = serial.wrapping_add(1);
        self.surveys.insert(serial, PendingSurvey { survey, about, reply });
        if complete {
            return self.finish_survey(serial);
        }
        let token = Token { asker: self.me.0, serial };
        let events = self.senders.events.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(SURVEY).await;
            let _ = events.send(DriverEvent::SurveyOverdue(serial));
        });
        self.ask_children(token);
    }

    /// Who has gone answers no survey.
    pub(crate) fn lose_in_surveys(&mut self, pid: u32) {
        let mut complete = Vec::new();
        for (serial, pending) in &mut self.surveys {
            pending.survey.lose(pid);
            if pending.survey.is_complete() {
                complete.push(*serial);
            }
        }
        for serial in complete {
            self.finish_survey(serial);
        }
    }

    pub(super) fn finish_survey(&mut self, serial: u32) {
        if let Some(PendingSurvey { survey, about, reply }) = self.surveys.remove(&serial) {
            reply(survey.answer(self.me, about));
        }
    }

    /// SIGUSR1: the tree below this actor, to the standard error and to a file.
    pub(super) fn dump(&mut self, node: &Node) {
        let (pid, path) = (self.me.0, self.path_text());
        self.start_survey(
            node,
            SurveyTopic::Tree,
            Box::new(move |text| {
                // A file system may not answer.
                tokio::task::spawn_blocking(move || {
                    let file = std::env::temp_dir().join(format!("holdfast-{pid}.tree"));
                    let written = match write_privately(&file, &text) {
                        Ok(()) => format!("also in {}", file.display()),
                        Err(error) => format!("not in {}: {error}", file.display()),
                    };
                    crate::words::say(&format!("the tree of {path} ({written}):\n{text}"));
                });
            }),
        );
    }
}

/// Writes a file in a directory that others may write to: nothing that they have put there is opened,
/// and nobody else can read it.
fn write_privately(file: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    for number in 0..TRIES {
        let new = file.with_extension(format!("{}.{number}", now_ns()));
        let mut written = match options.open(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened?,
        };
        let done = written.write_all(text.as_bytes()).and_then(|()| fs::rename(&new, file));
        return done.inspect_err(|_| drop(fs::remove_file(&new)));
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// How many names are tried.
const TRIES: u32 = 16;
