//! The program of the README: a root, one actor below it, a breakpoint.

use holdfast::{BoxError, Context, Program, pause};

async fn leaf(_: Context, n: u32) -> Result<u32, BoxError> {
    pause().value("n", &n).await; // a breakpoint: in any actor, at any depth, in any thread
    Ok(n + 1)
}

async fn root(tree: Context) -> Result<(), BoxError> {
    println!("{}", tree.spawn(leaf, 41).await?.result().await?);
    Ok(())
}

fn main() -> std::process::ExitCode {
    Program::new().actor("leaf", leaf).run(root)
}
