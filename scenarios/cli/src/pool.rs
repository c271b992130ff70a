//! A worker pool: one job after another on some threads, and the results in the order of the jobs.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How far a pool is.
#[derive(Clone, Copy, Debug)]
pub struct PoolProgress<'a, J, R> {
    /// How many jobs are done.
    pub done: usize,
    /// The job that has just ended: its number, the job, its result.
    pub ended: Option<(usize, &'a J, &'a R)>,
}

/// Does every job, and returns the results in the order of the jobs.
///
/// Once `stop` is set no further job is begun; a job that was not begun has no result. `watch` is
/// called on this thread after each job, and ten times a second.
pub fn run_all<J: Sync, R: Send>(
    jobs: &[J],
    threads: NonZeroUsize,
    stop: &AtomicBool,
    work: impl Fn(usize, &J) -> R + Sync,
    mut watch: impl FnMut(PoolProgress<'_, J, R>),
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<R>> = jobs.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..threads.get().min(jobs.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    let index = next.fetch_add(1, Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    if sender.send((index, work(index, job))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut done = 0;
        loop {
            match receiver.recv_timeout(TICK) {
                Ok((index, result)) => {
                    done += 1;
                    let result = results[index].insert(result);
                    watch(PoolProgress { done, ended: Some((index, &jobs[index], result)) });
                }
                Err(RecvTimeoutError::Timeout) => watch(PoolProgress { done, ended: None }),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    results
}

const TICK: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_jobs_and_a_stop_begins_no_more() {
        let threads = NonZeroUsize::new(3).expect("it is not 0");
        let jobs: Vec<usize> = (0..100).collect();
        let stop = AtomicBool::new(false);
        let mut seen = 0;
        let double = |index: usize, job: &usize| index + job;
        let results = run_all(&jobs, threads, &stop, double, |progress| {
            seen += usize::from(progress.ended.is_some());
        });
        assert_eq!(results, (0..100).map(|job| Some(2 * job)).collect::<Vec<_>>());
        assert_eq!(seen, 100);
        let one = NonZeroUsize::MIN;
        let stopping = |index: usize, _: &usize| stop.store(index == 4, Relaxed);
        let results = run_all(&jobs, one, &stop, stopping, |_| {});
        assert_eq!(results.iter().flatten().count(), 5);
    }
}
