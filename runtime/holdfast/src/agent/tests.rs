//! The agent over a socket pair: each command, and each way to the one answer.

use super::*;
use crate::session::{Frames, NumberedReply};
use std::io::Write as _;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

fn scene() -> PausedTask {
    PausedTask {
        path: "root/mid".to_owned(),
        kind: PromptKind::PostMortem,
        file: file!().to_owned(),
        line: 12,
        column: 3,
        values: vec![
            ("answer".to_owned(), "42".to_owned()),
            ("long".to_owned(), "é".repeat(SHOWN)),
        ],
        backtrace: Backtrace::force_capture(),
        failure: Some("it broke".to_owned()),
        task: "main".to_owned(),
        since: Instant::now(),
        standstill: None,
    }
}

struct Open {
    prompt: UnixStream,
    agent: Agent,
    answers: Receiver<Answer>,
}

fn open(scene: PausedTask) -> Open {
    let (prompt, socket) = UnixStream::pair().unwrap();
    prompt.set_read_timeout(Some(LIMIT)).unwrap();
    let (answered, answers) = mpsc::channel();
    let agent =
        start(socket, scene, LogRing::global(), move |answer| answered.send(answer).unwrap())
            .unwrap();
    Open { prompt, agent, answers }
}

impl Open {
    fn greeting(&self) -> Greeting {
        match receive(&self.prompt).unwrap() {
            Received::Message(greeting) => greeting,
            Received::End => panic!("no greeting"),
        }
    }

    fn ask(&self, command: PromptCommand) -> Reply {
        send(&self.prompt, &NumberedCommand { number: 5, command }).unwrap();
        match receive(&self.prompt).unwrap() {
            Received::Message(NumberedReply { number: 5, reply }) => reply,
            other => panic!("{other:?}"),
        }
    }

    /// The one answer; that no second comes is known when the sender is gone.
    fn answer(&self) -> Answer {
        let answer = self.answers.recv_timeout(LIMIT).unwrap();
        assert_eq!(self.answers.recv_timeout(LIMIT), Err(mpsc::RecvTimeoutError::Disconnected));
        answer
    }
}

fn tell(prompt: &UnixStream, command: PromptCommand) {
    send(prompt, &NumberedCommand { number: 1, command }).unwrap();
}

#[test]
fn it_greets_and_answers() {
    let open = open(scene());
    let greeting = open.greeting();
    assert_eq!((greeting.path.as_str(), greeting.line, greeting.values), ("root/mid", 12, 2));
    let Reply::Lines(lines) = open.ask(PromptCommand::Where) else { panic!("lines") };
    assert_eq!(lines[0], "post-mortem in root/mid, main");
    assert_eq!(lines[2], "failure: it broke");
    let Reply::Source(source) = open.ask(PromptCommand::List { around: 2 }) else {
        panic!("source")
    };
    assert_eq!((source.first, source.marked, source.lines.len()), (10, 12, 5));
    let Reply::Values { values, omitted: 0 } = open.ask(PromptCommand::Locals) else {
        panic!("values")
    };
    assert_eq!((values[0].name.as_str(), values[0].text.as_str()), ("answer", "42"));
    assert_eq!((values[1].text.len(), values[1].length), (LISTED, 2 * SHOWN));
    let long = PromptCommand::Print { name: "long".to_owned() };
    let Reply::Values { values, omitted: 0 } = open.ask(long) else { panic!("values") };
    assert_eq!((values[0].text.len(), values[0].length), (SHOWN, 2 * SHOWN));
    assert_eq!(open.ask(PromptCommand::Names), Reply::Names(vec!["answer".into(), "long".into()]));
    assert!(matches!(open.ask(PromptCommand::Print { name: "no".into() }), Reply::Failed(_)));
    let trace = open.ask(PromptCommand::Backtrace { frames: Frames::All });
    assert!(matches!(trace, Reply::Lines(lines) if lines.len() > 2));
    assert!(matches!(open.ask(PromptCommand::Log { last: 3 }), Reply::Lines(_)));
}

#[test]
fn each_way_out_gives_one_answer() {
    type Act = fn(&UnixStream);
    let table: [(&str, Act, Answer); 5] = [
        ("continue", |prompt| tell(prompt, PromptCommand::Continue), Answer::Continue),
        ("quit", |prompt| tell(prompt, PromptCommand::Quit), Answer::Quit),
        ("end", |prompt| prompt.shutdown(Shutdown::Write).unwrap(), Answer::Hangup),
        ("nonsense", |mut prompt| prompt.write_all(&[0, 0, 0, 1, 0xc1]).unwrap(), Answer::Hangup),
        ("flood", |mut prompt| prompt.write_all(&[0xff; 4]).unwrap(), Answer::Hangup),
    ];
    for (name, act, expected) in table {
        let open = open(scene());
        open.greeting();
        act(&open.prompt);
        assert_eq!(open.answer(), expected, "{name}");
        // The thread is gone, the lock is not: only the agent's close releases it.
        open.prompt.set_nonblocking(true).unwrap();
        assert!(receive::<NumberedReply>(&open.prompt).is_err(), "{name}: the baton is still open");
        open.agent.close();
        assert_eq!(receive::<NumberedReply>(&open.prompt).unwrap(), Received::End, "{name}");
    }
}

#[test]
fn closing_reaches_both_ends_even_if_somebody_has_a_copy() {
    let Open { prompt, agent, answers } = open(scene());
    let _copy = agent.socket.try_clone().unwrap();
    let open = Open { prompt, agent: Agent { socket: agent.socket.try_clone().unwrap() }, answers };
    open.greeting();
    agent.close();
    assert_eq!(receive::<NumberedReply>(&open.prompt).unwrap(), Received::End);
    assert_eq!(open.answer(), Answer::Hangup);
}

#[test]
fn many_values_fit_into_one_frame() {
    let values = (0..10_000).map(|n| (format!("v{n}"), "x".repeat(500))).collect();
    let open = open(PausedTask { values, ..scene() });
    open.greeting();
    let Reply::Values { values, omitted } = open.ask(PromptCommand::Locals) else {
        panic!("values")
    };
    assert_eq!(values.len() + omitted, 10_000);
    assert!(omitted > 0);
}
