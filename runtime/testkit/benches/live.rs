//! What a tree costs, each beside the floor measured in the same run: the bare system calls.
//!
//! ```sh
//! cargo bench -p holdfast-testkit
//! ```
//!
//! Every row is a median and a ratio to its floor, so a busy machine moves both. A ratio above the
//! row's limit fails the run: the limits are far above what a quiet machine shows.
//!
//! The probe that does nothing is part of every program, so no build is without it that the same
//! run could be compared with. Its row measures the calls themselves: those that the driver makes for
//! one input, beside the round trip of one byte, which is the least that an input from another process
//! costs. The limit is one hundredth of that.

use holdfast::probe::{Point, Probe};
use holdfast::protocol::{ActorId, Input, Shielding};
use holdfast::{BoxError, Context, Program};
use holdfast_testkit::control::ActorEvent;
use holdfast_testkit::{Instruction, ProcessEnd, StagedProgram, TerminalStage, TestTreeBuilder};
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What this executable does when it is started by itself.
const ROLE: &str = "HOLDFAST_BENCH_ROLE";

/// One measurement and its floor.
struct Row {
    what: String,
    median: f64,
    floor: f64,
    unit: &'static str,
    most: f64,
}

impl Row {
    fn print(&self) -> Result<(), String> {
        let Self { what, median, floor, unit, most } = self;
        let ratio = median / floor;
        let ratio_text = if ratio < 0.1 { format!("{ratio:.5}") } else { format!("{ratio:.1}") };
        println!(
            "{what:<48} {median:>9.1} {unit:<3} floor {floor:>9.1} {unit:<3} ratio {ratio_text:>7}"
        );
        if ratio > *most {
            return Err(format!("{what}: {ratio_text} times its floor, the limit is {most}"));
        }
        Ok(())
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn floor_process(role: &str) -> std::io::Result<(std::process::Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let child = Command::new("/proc/self/exe")
        .env(ROLE, role)
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .spawn()?;
    Ok((child, ours))
}

/// The floor's process: says that it is there, then answers every byte until there is no more.
fn pong() -> std::io::Result<()> {
    use std::os::fd::AsFd as _;
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    socket.write_all(b"!")?;
    let mut byte = [0];
    while socket.read(&mut byte)? == 1 {
        socket.write_all(&byte)?;
    }
    Ok(())
}

async fn echo(context: Context, (): ()) -> Result<(), BoxError> {
    while let Some(number) = context.receive::<u64>().await? {
        context.send(&number).await?;
    }
    Ok(())
}

/// The memory that a process has for itself, in KiB.
fn private_kib(pid: u32) -> Result<f64, BoxError> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let of = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<f64>().ok())
    };
    let sum = of("Private_Dirty:").zip(of("Private_Clean:")).map(|(dirty, clean)| dirty + clean);
    Ok(sum.ok_or("smaps_rollup has no private memory")?)
}

/// A probe that leaves every method as it is, as in a program that sets none.
#[derive(Debug)]
struct Empty;

impl Probe for Empty {}

/// What the driver's calls to a probe take for one message that is received, in nanoseconds.
fn empty_probe() -> f64 {
    const CALLS: u32 = 100_000;
    let probe: Arc<dyn Probe> = black_box(Arc::new(Empty));
    let peer = ActorId(1);
    let input = Input::LinkEnded { peer };
    let rounds = (0..101).map(|_| {
        let since = Instant::now();
        for _ in 0..CALLS {
            black_box(black_box(&probe).passes(black_box(Point::Message(peer))));
            black_box(&probe).handled(black_box(input), black_box(&[]));
        }
        since.elapsed()
    });
    median(rounds.collect()) * 1e3 / f64::from(CALLS)
}

const SPAWNS: usize = 60;
const MANY: usize = 64;
const TRIPS: u64 = 5000;

async fn tree(context: Context) -> Result<(), BoxError> {
    let (mut spawned, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..SPAWNS {
        let since = Instant::now();
        let child = context.spawn(echo, ()).await?;
        child.send(&1_u64).await?;
        child.receive::<u64>().await?;
        spawned.push(since.elapsed());
        child.cancel_and_wait().await;
        let since = Instant::now();
        let (mut child, mut socket) = floor_process("pong")?;
        socket.read_exact(&mut [0])?;
        socket.write_all(b"x")?;
        socket.read_exact(&mut [0])?;
        bare.push(since.elapsed());
        drop(socket);
        child.wait()?;
    }
    let what = "spawn until a call is answered".to_owned();
    Row { what, median: median(spawned), floor: median(bare), unit: "µs", most: 20.0 }.print()?;

    let (mut up_and_down, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let since = Instant::now();
        let spawns = (0..MANY).map(|_| async { context.spawn(echo, ()).await });
        let children = futures_util::future::try_join_all(spawns).await?;
        futures_util::future::join_all(children.iter().map(holdfast::Portal::cancel_and_wait))
            .await;
        up_and_down.push(since.elapsed());
        let since = Instant::now();
        let started: Result<Vec<_>, _> = (0..MANY).map(|_| floor_process("pong")).collect();
        for (mut child, mut socket) in started? {
            socket.read_exact(&mut [0])?;
            drop(socket);
            child.wait()?;
        }
        bare.push(since.elapsed());
    }
    let what = format!("{MANY} children up and down");
    Row { what, median: median(up_and_down), floor: median(bare), unit: "µs", most: 20.0 }
        .print()?;

    let child = context.spawn(echo, ()).await?;
    let (mut process, mut socket) = floor_process("pong")?;
    socket.read_exact(&mut [0])?;
    let (mut trips, mut bare) = (Vec::new(), Vec::new());
    for number in 0..TRIPS {
        let since = Instant::now();
        child.send(&number).await?;
        child.receive::<u64>().await?;
        trips.push(since.elapsed());
        let since = Instant::now();
        socket.write_all(b"x")?;
        socket.read_exact(&mut [0])?;
        bare.push(since.elapsed());
    }
    let byte = median(bare);
    let what = "round trip on a portal".to_owned();
    Row { what, median: median(trips), floor: byte, unit: "µs", most: 60.0 }.print()?;
    let what = "the empty probe, for one input".to_owned();
    Row { what, median: empty_probe(), floor: byte * 1e3, unit: "ns", most: 0.01 }.print()?;

    let (idle, bare) = (private_kib(child.pid())?, private_kib(process.id())?);
    let what = "memory of an idle actor".to_owned();
    Row { what, median: idle, floor: bare, unit: "KiB", most: 30.0 }.print()?;
    drop(socket);
    process.wait()?;
    Ok(())
}

fn shim() -> Command {
    Command::new(env!("CARGO_BIN_EXE_holdfast-shim"))
}

fn grow(shape: &str) -> Result<holdfast_testkit::TestTree, BoxError> {
    TestTreeBuilder::of(shape)?.grow(shim(), env!("CARGO_BIN_EXE_holdfast-test-actor").as_ref())
}

const PROMPTS: u32 = 15;

fn until_prompt(shape: &str, depth: usize) -> Result<Row, BoxError> {
    let mut tree = grow(shape)?;
    let (mut prompts, mut lines) = (Vec::new(), Vec::new());
    for id in 0..PROMPTS {
        let since = Instant::now();
        tree.instruct("leaf", Instruction::Print { text: format!("line {id}.") })?;
        tree.stage.wait_output(&format!("line {id}."))?;
        lines.push(since.elapsed());
        let since = Instant::now();
        tree.instruct("leaf", Instruction::Breakpoint { id, shielding: Shielding::Plain })?;
        tree.wait_prompt("leaf")?;
        prompts.push(since.elapsed());
        tree.stage.type_line("continue")?;
        let resumed = |event: &ActorEvent| matches!(event, ActorEvent::Resumed { id: done, .. } if *done == id);
        tree.actor("leaf")?.wait("the pause is over", resumed)?;
    }
    let what = format!("breakpoint until the prompt shows, depth {depth}");
    Ok(Row { what, median: median(prompts), floor: median(lines), unit: "µs", most: 200.0 })
}

fn until_ended() -> Result<Row, BoxError> {
    let (mut trees, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        let tree = grow("root(mid(leaf))")?;
        let since = Instant::now();
        tree.stage.ctrl_c()?;
        assert_eq!(tree.stage.exit()?, ProcessEnd::Code(130));
        trees.push(since.elapsed());
        let stage = TerminalStage::open(shim(), &StagedProgram::script("echo ready; exec cat"))?;
        stage.wait_text("ready")?;
        let since = Instant::now();
        stage.ctrl_c()?;
        stage.exit()?;
        bare.push(since.elapsed());
    }
    let what = "Ctrl-C until an idle tree of three has ended".to_owned();
    Ok(Row { what, median: median(trees), floor: median(bare), unit: "µs", most: 50.0 })
}

fn staged() -> Result<(), BoxError> {
    for (depth, shape) in [(1, "root(leaf)"), (2, "root(mid(leaf))"), (3, "root(a(mid(leaf)))")] {
        until_prompt(shape, depth)?.print()?;
    }
    until_ended()?.print()?;
    let tree = Command::new(std::env::current_exe()?).env(ROLE, "tree").status()?;
    if tree.success() { Ok(()) } else { Err(format!("the tree ended with {tree}").into()) }
}

fn main() -> ExitCode {
    let role = std::env::var(ROLE).unwrap_or_default();
    let done = match role.as_str() {
        "pong" => pong().map_err(BoxError::from),
        "tree" => return Program::new().actor("echo", echo).run(tree),
        _ => staged(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
