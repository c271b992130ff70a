//! The nested tree of tractor's issue #320: a breakpoint in a grandchild, and a Ctrl-C.
//!
//! ```sh
//! cargo run --package holdfast-runtime --example nested       # press Ctrl-C as often as you like
//! ```

use holdfast::{BoxError, Context, Program, pause};
use std::process::ExitCode;

async fn leaf(_: Context, (question, answer): (String, u32)) -> Result<u32, BoxError> {
    println!("press Ctrl-C as often as you like, then type `continue`");
    pause().value("question", &question).value("answer", &answer).await;
    Ok(answer)
}

async fn mid(tree: Context, answer: u32) -> Result<u32, BoxError> {
    let question = "six times seven".to_owned();
    let leaf = tree.spawn(leaf, (question, answer)).await?;
    Ok(leaf.result().await?)
}

pub(crate) async fn root(tree: Context) -> Result<(), BoxError> {
    let mid = tree.spawn(mid, 42_u32).await?;
    println!("the grandchild's result is {}", mid.result().await?);
    Ok(())
}

pub(crate) fn program() -> Program {
    Program::new().actor("mid", mid).actor("leaf", leaf)
}

fn main() -> ExitCode {
    program().run(root)
}
