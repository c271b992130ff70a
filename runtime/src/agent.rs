//! A placeholder until the prompt is there: every pause goes on at once.
use holdfast_model::protocol::Answer;
use std::os::unix::net::UnixStream;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Breakpoint,
    PostMortem,
}
pub(crate) struct Scene {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) values: Vec<(String, String)>,
    pub(crate) backtrace: std::backtrace::Backtrace,
    pub(crate) failure: Option<String>,
    pub(crate) task: String,
}
pub(crate) struct Agent(UnixStream);
pub(crate) fn start(
    socket: UnixStream,
    scene: Scene,
    _logs: crate::logs::Ring,
    answer: impl FnOnce(Answer) + Send + 'static,
) -> std::io::Result<Agent> {
    eprintln!("agent {} {}:{} {:?}", scene.path, scene.file, scene.line, scene.failure);
    answer(Answer::Continue);
    Ok(Agent(socket))
}
impl Agent {
    pub(crate) fn close(self) {
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }
}
