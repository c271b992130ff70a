//! A worker pool: jobs go out on portals, results come back, the first failure ends all.
//!
//! ```sh
//! cargo run -p holdfast --example pool -- 4 20        # workers, jobs
//! ```

use holdfast::{BoxError, Context, Portal, Program};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::process::ExitCode;

#[derive(Serialize, Deserialize)]
enum Order {
    Count { below: u64 },
    Stop,
}

#[derive(Serialize, Deserialize)]
struct Counted {
    below: u64,
    primes: u64,
}

/// Counts primes until it is told to stop; its result is how many jobs it did.
async fn worker(pool: Context, _: ()) -> Result<u32, BoxError> {
    let mut jobs = 0;
    while let Some(Order::Count { below }) = pool.receive().await? {
        let prime = |n: &u64| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
        let primes = (2..below).filter(prime).count() as u64;
        pool.send(&Counted { below, primes }).await?;
        jobs += 1;
    }
    Ok(jobs)
}

/// Feeds one worker until no job is left.
async fn feed(
    worker: &Portal<u32>,
    jobs: &std::cell::RefCell<VecDeque<u64>>,
) -> Result<(), BoxError> {
    loop {
        let next = jobs.borrow_mut().pop_front();
        let Some(below) = next else { return Ok(worker.send(&Order::Stop).await?) };
        worker.send(&Order::Count { below }).await?;
        let Some(Counted { below, primes }) = worker.receive().await? else { return Ok(()) };
        println!("{}: {primes} primes below {below}", worker.name());
    }
}

async fn root(tree: Context) -> Result<(), BoxError> {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let workers = arguments.next().transpose()?.unwrap_or(3);
    let count = arguments.next().transpose()?.unwrap_or(12);
    let jobs = std::cell::RefCell::new((1..=count).map(|n| n * 10_000).collect());
    let mut pool = Vec::new();
    for number in 1..=workers {
        pool.push(tree.spawn(worker, ()).name(&format!("worker-{number}")).await?);
    }
    futures_util::future::try_join_all(pool.iter().map(|worker| feed(worker, &jobs))).await?;
    for worker in &pool {
        println!("{} did {} jobs", worker.name(), worker.result().await?);
    }
    Ok(())
}

fn main() -> ExitCode {
    Program::new().actor("worker", worker).run(root)
}
