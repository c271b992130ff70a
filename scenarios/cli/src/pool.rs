//! Runs of cases on all cores.

use crate::on_live::{self, Lived};
use crate::on_model::{self, ModelResult};
use crate::report::PlannedRun;
use holdfast_check::explore::Progress;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How far all runs are.
#[derive(Clone, Copy, Debug)]
pub struct PoolProgress {
    /// Runs that are over.
    pub done: usize,
    /// States of the runs that are under way.
    pub states: u64,
}

/// Does every job, and returns what came of them in the same order.
///
/// Once `interrupt` is set the runs under way end soon, and those after them at once.
/// `watch` is called now and then.
pub fn run_all(
    jobs: &[PlannedRun<'_>],
    threads: NonZeroUsize,
    max_states: u64,
    interrupt: &AtomicBool,
    mut watch: impl FnMut(PoolProgress),
) -> Vec<ModelResult> {
    let next = AtomicUsize::new(0);
    let progress: Vec<Progress> = jobs.iter().map(|_| Progress::default()).collect();
    let mut results: Vec<Option<ModelResult>> = jobs.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let (send, receive) = channel();
        for _ in 0..threads.get().min(jobs.len()) {
            let (send, next, progress) = (send.clone(), &next, &progress);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    let ran = on_model::run(job.run, max_states, &progress[index]);
                    if send.send((index, ran)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut done = 0;
        loop {
            match receive.recv_timeout(GLANCE) {
                Ok((index, ran)) => {
                    done += 1;
                    progress[index].states.store(0, Relaxed);
                    results[index] = Some(ran);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if interrupt.load(Relaxed) {
                progress.iter().for_each(|progress| progress.interrupt.store(true, Relaxed));
            }
            watch(PoolProgress {
                done,
                states: progress.iter().map(|one| one.states.load(Relaxed)).sum(),
            });
        }
    });
    results.into_iter().map(|ran| ran.expect("every job was done")).collect()
}

/// Runs every job on real processes, some at once, and returns what came of them in the same order.
///
/// Once `interrupt` is set the runs under way end soon, and none after them is begun.
pub fn run_live(
    jobs: &[PlannedRun<'_>],
    at_once: NonZeroUsize,
    setup: &on_live::Setup,
    interrupt: &AtomicBool,
    mut watch: impl FnMut(usize, &str),
) -> Vec<Option<Lived>> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<Lived>> = jobs.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let (send, receive) = channel();
        for _ in 0..at_once.get().min(jobs.len()) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while !interrupt.load(Relaxed) {
                    let index = next.fetch_add(1, Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    let lived = on_live::run(job.run, setup, &job.slug(), interrupt);
                    if send.send((index, lived)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (done, (index, lived)) in receive.iter().enumerate() {
            watch(done + 1, &jobs[index].slug());
            results[index] = Some(lived);
        }
    });
    results
}

const GLANCE: Duration = Duration::from_millis(100);
