//! A breakpoint in code that is not async, in a thread of an actor.
//!
//! ```sh
//! cargo run -p holdfast --example thread
//! ```

use holdfast::{BoxError, Context, Program, pause};
use std::process::ExitCode;
use std::thread;

fn parse(line: &str) -> Option<(u32, u32)> {
    let words: Vec<&str> = line.split('x').collect();
    pause().value("line", &line).value("words", &words).block();
    Some((words.first()?.parse().ok()?, words.get(1)?.parse().ok()?))
}

async fn reader(_: Context, line: String) -> Result<u32, BoxError> {
    let (done, size) = tokio::sync::oneshot::channel();
    thread::Builder::new().name("parser".to_owned()).spawn(move || {
        let _ = done.send(parse(&line));
    })?;
    let (width, height) = size.await?.ok_or("expected a size of the terminal")?;
    Ok(width * height)
}

async fn root(tree: Context) -> Result<(), BoxError> {
    let reader = tree.spawn(reader, "640x480".to_owned()).await?;
    println!("{} pixels", reader.result().await?);
    Ok(())
}

fn main() -> ExitCode {
    Program::new().actor("reader", reader).run(root)
}
