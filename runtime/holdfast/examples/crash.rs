//! A crash three levels deep: the post-mortem prompt opens there first, then at each supervisor.
//!
//! ```sh
//! cargo run -p holdfast --example crash
//! ```

use holdfast::{BoxError, Context, Debugging, Program};
use std::process::ExitCode;

async fn level(tree: Context, below: u32) -> Result<u32, BoxError> {
    if below == 0 {
        let shares: Vec<u32> = Vec::new();
        return Ok(100 / u32::try_from(shares.len())?);
    }
    let child = tree.spawn(level, below - 1).name(&format!("level-{below}")).await?;
    Ok(child.result().await?)
}

async fn root(tree: Context) -> Result<(), BoxError> {
    let child = tree.spawn(level, 2_u32).name("level-3").await?;
    println!("each gets {}", child.result().await?);
    Ok(())
}

fn main() -> ExitCode {
    Program::new().debugging(Debugging::Failures).actor("level", level).run(root)
}
