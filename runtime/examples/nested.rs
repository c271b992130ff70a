//! The nested tree of tractor's issue #320: a breakpoint in a grandchild, and a Ctrl-C.
//!
//! ```sh
//! cargo run -p holdfast --example nested
//! HOLDFAST_POLICY=single-depth HOLDFAST_PLACEMENT=shared-group cargo run -p holdfast --example nested
//! ```

use holdfast::{BoxError, Context, Program, pause};
use std::process::ExitCode;

async fn leaf(_: Context, (question, answer): (String, u32)) -> Result<u32, BoxError> {
    println!("leaf: press Ctrl-C as often as you like, then type `continue`");
    pause().value("question", &question).value("answer", &answer).await;
    Ok(answer)
}

async fn mid(tree: Context, answer: u32) -> Result<u32, BoxError> {
    let question = "six times seven".to_owned();
    let leaf = tree.spawn(leaf, (question, answer)).await?;
    Ok(leaf.result().await?)
}

async fn root(tree: Context) -> Result<(), BoxError> {
    let mid = tree.spawn(mid, 42_u32).await?;
    println!("root: the grandchild's result is {}", mid.result().await?);
    Ok(())
}

fn main() -> ExitCode {
    Program::new().actor("mid", mid).actor("leaf", leaf).run(root)
}
