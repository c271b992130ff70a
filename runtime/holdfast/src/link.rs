//! One end of the channel between two neighbouring actors: frames and descriptors, never blocking.
//!
//! Runs in the driver. A link reads and writes when the driver says so; [`crate::peer::Peer`]
//! only waits for the socket, so that no other task ever holds part of a frame.

use crate::wire::{Frame, WireError, decode, encode};
use holdfast_protocol::Message;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd as _, AsRawFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream as StdStream;
use std::rc::Rc;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// The most descriptors that may be under way unclaimed.
const MOST_DESCRIPTORS: usize = 4;

/// What has been read.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A frame, with the descriptor that came with it.
    Frame(Frame, Option<OwnedFd>),
    /// Nothing more for now.
    Nothing,
    /// The end: nothing will ever come.
    End,
}

struct OutgoingFrame {
    bytes: Vec<u8>,
    sent: usize,
    descriptor: Option<OwnedFd>,
}

/// One end of a channel.
pub(crate) struct Link {
    socket: Rc<UnixStream>,
    buffer: Vec<u8>,
    descriptors: VecDeque<OwnedFd>,
    outgoing: VecDeque<OutgoingFrame>,
    ended: bool,
}

fn carries_descriptor(frame: &Frame) -> bool {
    matches!(frame, Frame::Hello(_) | Frame::Direct { .. } | Frame::Say(Message::Grant { .. }))
}

impl Link {
    /// Takes over one end of a socket pair.
    ///
    /// # Errors
    /// If the socket cannot be watched.
    pub(crate) fn new(socket: StdStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: Rc::new(UnixStream::from_std(socket)?),
            buffer: Vec::new(),
            descriptors: VecDeque::new(),
            outgoing: VecDeque::new(),
            ended: false,
        })
    }

    /// The socket, to wait on.
    pub(crate) fn socket(&self) -> Rc<UnixStream> {
        Rc::clone(&self.socket)
    }

    /// The next frame, if one is there.
    ///
    /// # Errors
    /// If what was read is not a frame; the link is of no use any longer.
    pub(crate) fn hear(&mut self) -> Result<Heard, WireError> {
        loop {
            if let Some(frame) = decode(&mut self.buffer)? {
                let descriptor =
                    carries_descriptor(&frame).then(|| self.descriptors.pop_front()).flatten();
                return Ok(Heard::Frame(frame, descriptor));
            }
            if self.ended {
                return Ok(Heard::End);
            }
            match self.read() {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Heard::Nothing);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A reset is an end.
                Err(_) => self.ended = true,
            }
            if self.descriptors.len() > MOST_DESCRIPTORS {
                return Err(WireError::Descriptors);
            }
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 16 << 10];
        let mut control = cmsg_space!([RawFd; MOST_DESCRIPTORS]);
        let fd = self.socket.as_raw_fd();
        let (count, received) = self.socket.try_io(Interest::READABLE, || {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
            let message = recvmsg::<()>(fd, &mut slices, Some(&mut control), flags)?;
            let mut received = Vec::new();
            for control in message.cmsgs()? {
                if let ControlMessageOwned::ScmRights(fds) = control {
                    received.extend(fds);
                }
            }
            Ok((message.bytes, received))
        })?;
        for fd in received {
            // SAFETY: recvmsg(2) has just made this descriptor for us; nobody else owns it.
            self.descriptors.push_back(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        self.buffer.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    /// Reads nothing any longer: what comes next is the end.
    pub(crate) fn cut(&mut self) {
        self.buffer = Vec::new();
        self.ended = true;
    }

    /// Queues a frame and sends what goes out at once.
    ///
    /// # Errors
    /// If the frame is too long: it is not sent. A peer that is gone is not an error, it reads nothing.
    pub(crate) fn say(
        &mut self,
        frame: &Frame,
        descriptor: Option<OwnedFd>,
    ) -> Result<(), WireError> {
        self.queue(frame, descriptor)?;
        self.flush();
        Ok(())
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// If the frame is too long: it is not sent.
    pub(crate) fn queue(
        &mut self,
        frame: &Frame,
        descriptor: Option<OwnedFd>,
    ) -> Result<(), WireError> {
        let bytes = encode(frame)?;
        self.outgoing.push_back(OutgoingFrame { bytes, sent: 0, descriptor });
        Ok(())
    }

    /// Sends what goes out without waiting.
    pub(crate) fn flush(&mut self) {
        if let Room::None = self.send_on() {
            // Tells tokio, so that it waits for the socket to have room again.
            let full = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = self.socket.try_io(Interest::WRITABLE, full);
        }
    }

    fn send_on(&mut self) -> Room {
        while let Some(frame) = self.outgoing.front_mut() {
            match send(self.socket.as_raw_fd(), frame) {
                Ok(count) => {
                    frame.sent += count;
                    frame.descriptor = None;
                    if frame.sent == frame.bytes.len() {
                        self.outgoing.pop_front();
                    }
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Room::None,
                // Nobody reads any longer: what is queued is lost, a baton in it is closed.
                Err(_) => self.outgoing.clear(),
            }
        }
        Room::Enough
    }

    /// Whether something waits to be sent.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Sends everything, for as long as the peer reads: a peer that takes nothing, look after look,
    /// is given up. For the last words of a process, when no driver runs any longer.
    pub(crate) fn flush_all(&mut self) {
        let mut looks = 0;
        while looks < LOOKS {
            match self.send_on() {
                Room::Enough => return,
                Room::None => {}
            }
            let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLOUT)];
            // While this process is stopped it does not look.
            looks += u32::from(poll(&mut fds, LOOK) == Ok(0));
        }
    }
}

/// Whether the socket took everything.
enum Room {
    Enough,
    None,
}

/// How long one look at a peer that does not read is, in milliseconds, and how many there are.
const LOOK: u8 = 100;
const LOOKS: u32 = 100;

fn send(socket: RawFd, frame: &OutgoingFrame) -> nix::Result<usize> {
    let slices = [IoSlice::new(&frame.bytes[frame.sent..])];
    let fds: Vec<RawFd> = frame.descriptor.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&fds)];
    let control: &[ControlMessage<'_>] = if fds.is_empty() { &[] } else { &rights };
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    sendmsg::<()>(socket, &slices, control, flags, None)
}
