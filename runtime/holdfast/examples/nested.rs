//! The nested tree of tractor's issue #320: a breakpoint in a grandchild, and a Ctrl-C.
//!
//! ```sh
//! cargo run -p holdfast --example nested                     # press Ctrl-C as often as you like
//! cargo run -p holdfast --example nested -- single-depth     # the same under the upstream policy
//! ```

use holdfast::{BoxError, Context, Placement, PolicyName, Program, pause};
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

async fn root(tree: Context) -> Result<(), BoxError> {
    let mid = tree.spawn(mid, 42_u32).await?;
    println!("the grandchild's result is {}", mid.result().await?);
    Ok(())
}

fn main() -> ExitCode {
    let program = Program::new().actor("mid", mid).actor("leaf", leaf);
    match std::env::args().nth(1).as_deref() {
        None => program.run(root),
        // Upstream has everybody in the terminal's foreground: a Ctrl-C reaches all.
        Some("single-depth") => {
            program.policy(PolicyName::SingleDepth).placement(Placement::SharedGroup).run(root)
        }
        Some(other) => {
            eprintln!("error: `{other}`: give nothing, or `single-depth`");
            ExitCode::from(2)
        }
    }
}
