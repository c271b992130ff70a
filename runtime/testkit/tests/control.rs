//! The side channel between a test and the actors: order, endings, and what a failure shows.

use holdfast::protocol::Shielding;
use holdfast_testkit::control::ControlLine;
use holdfast_testkit::{ActorEvent, ControlClient, ControlServer, Instruction};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

type Tested = Result<(), Box<dyn std::error::Error>>;

/// An actor that answers pings until it is told to finish, or the test is gone.
fn actor(control: &ControlServer, path: &'static str) -> thread::JoinHandle<std::io::Result<()>> {
    let socket = control.path();
    thread::spawn(move || {
        let mut client = ControlClient::connect(&socket)?;
        client.hello(path)?;
        while let Some(instruction) = client.recv()? {
            match instruction {
                Instruction::Ping { id } => client.send(&ActorEvent::Pong { id })?,
                Instruction::Finish {} => break,
                other => client.send(&ActorEvent::Failed { text: format!("{other:?}") })?,
            }
        }
        Ok(())
    })
}

#[test]
fn orders_go_down_and_events_come_up() -> Tested {
    let control = ControlServer::open()?;
    let threads = [actor(&control, "root"), actor(&control, "root/mid")];
    let (root, mid) = (control.wait_actor("root")?, control.wait_actor("root/mid")?);
    assert_eq!(root.pid(), i32::try_from(std::process::id())?);
    mid.send(Instruction::Ping { id: 1 })?;
    mid.wait_for(&ActorEvent::Pong { id: 1 })?;
    root.send(Instruction::Ping { id: 2 })?;
    root.wait_for(&ActorEvent::Pong { id: 2 })?;
    mid.send(Instruction::Finish {})?;
    mid.wait_gone()?;
    root.send(Instruction::Finish {})?;
    root.wait_gone()?;
    for thread in threads {
        thread.join().map_err(|_| "an actor panicked")??;
    }
    let pongs: Vec<_> = control
        .log()
        .into_iter()
        .filter(|entry| {
            matches!(entry.line, ControlLine::Said(ActorEvent::Pong { .. }) | ControlLine::Gone)
        })
        .map(|entry| entry.actor)
        .collect();
    assert_eq!(pongs, ["root/mid", "root", "root/mid", "root"]);
    assert!(root.wait("another pong", |event| *event == ActorEvent::Pong { id: 3 }).is_err());
    Ok(())
}

#[test]
fn an_actor_started_again_is_another_one() -> Tested {
    let control = ControlServer::open()?;
    let first_thread = actor(&control, "root");
    let first = control.wait_actor("root")?;
    first.send(Instruction::Finish {})?;
    first.wait_gone()?;
    first_thread.join().map_err(|_| "the actor panicked")??;
    let second_thread = actor(&control, "root");
    let hello = |entry: &holdfast_testkit::control::ControlEntry| {
        entry.connection == 1 && matches!(entry.line, ControlLine::Said(ActorEvent::Hello { .. }))
    };
    control.wait_event("the second hello", hello)?;
    let second = control.wait_actor("root")?;
    second.send(Instruction::Ping { id: 9 })?;
    second.wait_for(&ActorEvent::Pong { id: 9 })?;
    assert_eq!(first.events().len(), 1);
    assert_eq!(second.events().len(), 2);
    drop(control);
    // The end of the test is the end of the instructions.
    second_thread.join().map_err(|_| "the actor panicked")??;
    Ok(())
}

#[test]
fn what_is_not_heard_fails_with_the_whole_log() -> Tested {
    let control = ControlServer::open()?;
    let _thread = actor(&control, "root");
    let root = control.wait_actor("root")?;
    root.send(Instruction::Spawn { name: "mid".to_owned() })?;
    root.wait("a refusal", |event| matches!(event, ActorEvent::Failed { .. }))?;
    let control = control.patience(Duration::from_millis(1));
    let Err(error) = control.wait_actor("root/mid") else { return Err("it was heard".into()) };
    let text = error.to_string();
    for part in ["root/mid", "1ms", "0:root", "<- Spawn", "-> Failed", "-> Hello"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    Ok(())
}

#[test]
fn what_is_no_event_is_noted() -> Tested {
    let control = ControlServer::open()?;
    let mut stream = UnixStream::connect(control.path())?;
    stream.write_all(b"{\"event\":\"pong\",\"id\":1,\"more\":2}\n")?;
    stream.write_all(b"\xff\xfe\n{\"event\":\"booted\",\"more\":2}\n")?;
    drop(stream);
    control.wait_event("the end", |entry| entry.line == ControlLine::Gone)?;
    let log = control.log();
    assert_eq!(log.len(), 4, "{log:?}");
    assert!(log[..3].iter().all(|entry| matches!(entry.line, ControlLine::Garbled(_))), "{log:?}");
    Ok(())
}

#[test]
fn the_format_of_a_line_is_pinned() -> Tested {
    let instruction = Instruction::Breakpoint { id: 4, shielding: Shielding::Shielded };
    let line = r#"{"do":"breakpoint","id":4,"shielding":"shielded"}"#;
    assert_eq!(serde_json::to_string(&instruction)?, line);
    assert_eq!(serde_json::from_str::<Instruction>(line)?, instruction);
    Ok(())
}
