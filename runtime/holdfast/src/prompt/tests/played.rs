//! The child: a prompt and an agent in one process, which do what the test says.

use crate::agent::{self, PausedTask};
use crate::logs::LogRing;
use crate::prompt::{Color, Printed, PromptEvent, PromptReader, PromptSession, PromptSetup, open};
use crate::session::PromptKind;
use holdfast_protocol::Answer;
use nix::sys::termios::tcgetattr;
use nix::unistd::{Pid, getpgrp, tcsetpgrp};
use std::backtrace::Backtrace;
use std::io::{BufRead as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// The variable that makes a test the child: what it plays, words apart.
pub(super) const PLAY: &str = "HOLDFAST_FRONT_PLAYS";

/// The name of the child's test.
pub(super) const CHILD: &str = "prompt::tests::played::child";

enum News {
    Event(PromptEvent),
    Answer(Answer),
    Told(String),
}

#[test]
fn child() {
    let Ok(play) = std::env::var(PLAY) else { return };
    let words: Vec<&str> = play.split_whitespace().collect();
    let before = disposition();
    match words.as_slice() {
        ["terminal", sessions] => terminal(Path::new("/dev/tty"), sessions.parse().unwrap()),
        ["path", path] => terminal(Path::new(path), 1),
        ["report"] => session(PromptReader::Report, 1),
        ["wait", millis] => session(PromptReader::Wait(millis_of(millis)), 1),
        ["script", path, sessions] => {
            session(PromptReader::Script(PathBuf::from(path)), sessions.parse().unwrap());
        }
        ["broken"] => broken(),
        ["background"] => background(),
        ["hammer", rounds] => hammer(rounds.parse().unwrap()),
        other => panic!("no such play: {other:?}"),
    }
    assert_eq!(disposition(), before, "the disposition of SIGINT is not what it was");
    say("over");
}

fn millis_of(text: &str) -> Duration {
    Duration::from_millis(text.parse().unwrap())
}

/// Tells the test; the lines of the test harness do not begin like that.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@{text}").unwrap();
    out.flush().unwrap();
}

/// The disposition of SIGINT: the handler and the flags.
fn disposition() -> (usize, i32) {
    // SAFETY: a sigaction of zeros is valid; the call fills it in and changes nothing.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live value, and none is given to be installed.
    let done = unsafe { libc::sigaction(libc::SIGINT, std::ptr::null(), &raw mut now) };
    assert_eq!(done, 0);
    // The C library sets a flag of its own, SA_RESTORER, in every call.
    (now.sa_sigaction, now.sa_flags & !0x0400_0000)
}

fn scene() -> PausedTask {
    let value = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    PausedTask {
        path: "root/mid".to_owned(),
        kind: PromptKind::PostMortem,
        file: file!().to_owned(),
        line: 7,
        column: 3,
        values: vec![
            value("alpha", "41 + 1"),
            value("alpine", "[1, 2]"),
            value("hostile", "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}"),
            value("long", &"x".repeat(5000)),
        ],
        backtrace: Backtrace::force_capture(),
        failure: Some("it \u{1b}[31mbroke".to_owned()),
        task: "main".to_owned(),
        since: Instant::now(),
        standstill: None,
    }
}

struct Open {
    prompt: PromptSession,
    agent: agent::Agent,
}

fn begin(reader: &PromptReader, news: &Sender<News>) -> Open {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let answers = news.clone();
    let answered = move |answer| drop(answers.send(News::Answer(answer)));
    let agent = agent::start(theirs, scene(), LogRing::global(), answered).unwrap();
    Open { prompt: front_of(ours, reader, news), agent }
}

fn front_of(socket: UnixStream, reader: &PromptReader, news: &Sender<News>) -> PromptSession {
    let events = news.clone();
    let notify = Box::new(move |event| drop(events.send(News::Event(event))));
    open(PromptSetup {
        socket,
        reader: reader.clone(),
        notify,
        color: Color::Plain,
        debuggee: None,
    })
    .unwrap()
}

fn terminal(path: &Path, sessions: usize) {
    session(PromptReader::Terminal(path.to_owned()), sessions);
}

fn session(reader: PromptReader, sessions: usize) {
    let (sender, news) = channel();
    let told = sender.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = told.send(News::Told(line));
        }
    });
    for _ in 0..sessions {
        let Open { prompt, agent } = begin(&reader, &sender);
        play(&prompt, agent, &news);
        drop(prompt);
        say("ended");
    }
}

/// Does what the driver does, until the session has ended.
fn play(prompt: &PromptSession, agent: agent::Agent, news: &Receiver<News>) {
    let mut agent = Some(agent);
    // The end of the session and the agent's answer come in any order.
    let mut left = 2;
    while left > 0 {
        match news.recv().unwrap() {
            News::Answer(answer) => {
                left -= 1;
                say(&format!("{answer:?}"));
                agent.take().into_iter().for_each(agent::Agent::close);
            }
            News::Event(PromptEvent::Ended) => left -= 1,
            News::Event(PromptEvent::Survey(_, reply)) => {
                reply.send("root\n  mid".to_owned()).unwrap()
            }
            News::Event(event) => say(&format!("{event:?}")),
            News::Told(line) => match line.split_once(' ').unwrap_or((&line, "")) {
                ("flood", count) => {
                    let line = b"a line of a program that has much to say\n";
                    (0..count.parse().unwrap()).for_each(|_| drop(prompt.print(line)));
                }
                ("print", text) => match prompt.print(text.replace("\\n", "\n").as_bytes()) {
                    Printed::Above => {}
                    Printed::Left(text) => say(&format!("left {text}")),
                },
                ("note", text) => prompt.note(text),
                ("waiting", count) => prompt.waiting(count.parse().unwrap()),
                ("resume", _) => prompt.resume(),
                ("suspend", _) => {
                    prompt.suspend();
                    say("suspended");
                }
                ("close", _) => {
                    prompt.close();
                    say("closed");
                }
                ("release", _) => agent.take().into_iter().for_each(agent::Agent::close),
                other => panic!("no such order: {other:?}"),
            },
        }
    }
}

/// A holder that does not speak as it should, and closes when it reads the end.
fn broken() {
    let (sender, news) = channel();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let prompt = front_of(ours, &PromptReader::Terminal(PathBuf::from("/dev/tty")), &sender);
    theirs.write_all(&[0, 0, 0, 2, 0xc1, 0xc1]).unwrap();
    crate::session::drain(&theirs);
    assert!(news.try_recv().is_err(), "it is not over while the holder's end is open");
    drop(theirs);
    assert!(matches!(news.recv().unwrap(), News::Event(PromptEvent::Ended)));
    drop(prompt);
}

/// Many sessions, each closed by somebody at some moment, under fire of SIGINT.
fn hammer(rounds: usize) {
    let (sender, news) = channel();
    let reader = PromptReader::Terminal(PathBuf::from("/dev/tty"));
    let tty = std::fs::File::open("/dev/tty").unwrap();
    let before = tcgetattr(&tty).unwrap();
    let disposed = disposition();
    let mut open_files = None;
    for round in 0..rounds {
        let Open { prompt, agent } = begin(&reader, &sender);
        if round % 3 > 0 {
            // At the prompt, and not before it is there.
            while tcgetattr(&tty).unwrap() == before {
                std::thread::yield_now();
            }
        }
        // More shots and longer pauses from round to round, so that they fall at other moments.
        let shoot = move || {
            for shot in 0..round % 7 {
                (0..shot * round * 50).for_each(|_| std::hint::spin_loop());
                // SAFETY: a signal to this process, which has it blocked or handled.
                unsafe { libc::kill(libc::getpid(), libc::SIGINT) };
            }
        };
        let shooter = std::thread::spawn(shoot);
        prompt.waiting(round % 4);
        drop(prompt.print(b"fire\n"));
        (0..round * 200 % 9000).for_each(|_| std::hint::spin_loop());
        match round % 5 {
            0 => prompt.close(),
            1 => prompt.suspend(),
            2 => {
                prompt.suspend();
                prompt.resume();
            }
            _ => {}
        }
        match round % 2 {
            0 => drop(shooter.join()),
            _ => drop(shooter),
        }
        agent.close();
        let ended = |one| matches!(one, News::Event(PromptEvent::Ended));
        while !ended(news.recv_timeout(LIMIT).unwrap()) {}
        drop(prompt);
        assert!(tcgetattr(&tty).unwrap() == before, "the modes are not restored");
        assert_eq!(disposition(), disposed, "the disposition is not restored");
        // What is still pending would be the next round's.
        let _ = crate::prompt::signals::take_wake_ups();
        if round == 9 {
            open_files = Some(files());
        }
    }
    // The threads of the last sessions may not be quite at their end.
    let begun = Instant::now();
    while open_files.is_some_and(|count| files() > count + 3) {
        assert!(begun.elapsed() < LIMIT, "files are left open");
        std::thread::yield_now();
    }
}

/// How many files this process has open.
fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A session in the background: another process group has the terminal until told.
fn background() {
    let tty = std::fs::File::open("/dev/tty").unwrap();
    let other = std::process::Command::new("cat")
        .stdin(std::process::Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    tcsetpgrp(&tty, Pid::from_raw(i32::try_from(other.id()).unwrap())).unwrap();
    let mut other = other;
    let (sender, news) = channel();
    let Open { prompt, agent } = begin(&PromptReader::Terminal(PathBuf::from("/dev/tty")), &sender);
    let event = || loop {
        if let News::Event(event) = news.recv_timeout(LIMIT).unwrap() {
            return event;
        }
    };
    assert!(matches!(event(), PromptEvent::Suspend(_)));
    say("rests");
    prompt.resume();
    assert!(matches!(event(), PromptEvent::Suspend(_)), "it is still in the background");
    tcsetpgrp(&tty, getpgrp()).unwrap();
    drop(other.stdin.take());
    other.wait().unwrap();
    prompt.resume();
    let News::Answer(answer) = news.recv_timeout(LIMIT).unwrap() else { panic!("an answer") };
    say(&format!("{answer:?}"));
    agent.close();
    assert!(matches!(event(), PromptEvent::Ended));
}

const LIMIT: Duration = Duration::from_secs(20);
