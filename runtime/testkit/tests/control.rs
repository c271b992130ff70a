//! The side channel between a test and the actors: order, endings, and what a failure shows.

use holdfast::protocol::Shielding;
use holdfast_testkit::control::{Boot, Heard};
use holdfast_testkit::{Client, Event, Order, Orders};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

type Tested = Result<(), Box<dyn std::error::Error>>;

/// An actor that answers pings until it is told to finish, or the test is gone.
fn actor(orders: &Orders, path: &'static str) -> thread::JoinHandle<std::io::Result<()>> {
    let socket = orders.path();
    thread::spawn(move || {
        let mut client = Client::connect(&socket)?;
        client.hello(path)?;
        while let Some(order) = client.recv()? {
            match order {
                Order::Ping { id } => client.send(&Event::Pong { id })?,
                Order::Finish {} => break,
                other => client.send(&Event::Failed { text: format!("{other:?}") })?,
            }
        }
        Ok(())
    })
}

#[test]
fn orders_go_down_and_events_come_up() -> Tested {
    let orders = Orders::open()?;
    let threads = [actor(&orders, "root"), actor(&orders, "root/mid")];
    let (root, mid) = (orders.wait_actor("root")?, orders.wait_actor("root/mid")?);
    assert_eq!(root.pid(), i32::try_from(std::process::id())?);
    mid.send(Order::Ping { id: 1 })?;
    mid.wait_for(&Event::Pong { id: 1 })?;
    root.send(Order::Ping { id: 2 })?;
    root.wait_for(&Event::Pong { id: 2 })?;
    mid.send(Order::Finish {})?;
    mid.wait_gone()?;
    root.send(Order::Finish {})?;
    root.wait_gone()?;
    for thread in threads {
        thread.join().map_err(|_| "an actor panicked")??;
    }
    let pongs: Vec<_> = orders
        .log()
        .into_iter()
        .filter(|entry| matches!(entry.heard, Heard::Said(Event::Pong { .. }) | Heard::Gone))
        .map(|entry| entry.actor)
        .collect();
    assert_eq!(pongs, ["root/mid", "root", "root/mid", "root"]);
    assert!(root.wait("another pong", |event| *event == Event::Pong { id: 3 }).is_err());
    Ok(())
}

#[test]
fn an_actor_started_again_is_another_one() -> Tested {
    let orders = Orders::open()?;
    let first_thread = actor(&orders, "root");
    let first = orders.wait_actor("root")?;
    first.send(Order::Finish {})?;
    first.wait_gone()?;
    first_thread.join().map_err(|_| "the actor panicked")??;
    let second_thread = actor(&orders, "root");
    let hello = |entry: &holdfast_testkit::control::Entry| {
        entry.connection == 1 && matches!(entry.heard, Heard::Said(Event::Hello { .. }))
    };
    orders.wait_event("the second hello", hello)?;
    let second = orders.wait_actor("root")?;
    second.send(Order::Ping { id: 9 })?;
    second.wait_for(&Event::Pong { id: 9 })?;
    assert_eq!(first.events().len(), 1);
    assert_eq!(second.events().len(), 2);
    drop(orders);
    // The end of the test is the end of the orders.
    second_thread.join().map_err(|_| "the actor panicked")??;
    Ok(())
}

#[test]
fn what_is_not_heard_fails_with_the_whole_log() -> Tested {
    let orders = Orders::open()?;
    let _thread = actor(&orders, "root");
    let root = orders.wait_actor("root")?;
    root.send(Order::Spawn { name: "mid".to_owned(), boot: Boot::WhenTold })?;
    root.wait("a refusal", |event| matches!(event, Event::Failed { .. }))?;
    let orders = orders.patience(Duration::from_millis(1));
    let Err(error) = orders.wait_actor("root/mid") else { return Err("it was heard".into()) };
    let text = error.to_string();
    for part in ["root/mid", "1ms", "0:root", "<- Spawn", "-> Failed", "-> Hello"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    Ok(())
}

#[test]
fn what_is_no_event_is_noted() -> Tested {
    let orders = Orders::open()?;
    let mut stream = UnixStream::connect(orders.path())?;
    stream.write_all(b"{\"event\":\"pong\",\"id\":1,\"more\":2}\n")?;
    stream.write_all(b"\xff\xfe\n{\"event\":\"booted\",\"more\":2}\n")?;
    drop(stream);
    orders.wait_event("the end", |entry| entry.heard == Heard::Gone)?;
    let log = orders.log();
    assert_eq!(log.len(), 4, "{log:?}");
    assert!(log[..3].iter().all(|entry| matches!(entry.heard, Heard::Garbled(_))), "{log:?}");
    Ok(())
}

#[test]
fn the_format_of_a_line_is_pinned() -> Tested {
    let order = Order::Breakpoint { id: 4, shielding: Shielding::Shielded };
    let line = r#"{"do":"breakpoint","id":4,"shielding":"shielded"}"#;
    assert_eq!(serde_json::to_string(&order)?, line);
    assert_eq!(serde_json::from_str::<Order>(line)?, order);
    Ok(())
}
