//! What two neighbouring actors send each other, and how it is cut into frames.
//!
//! ```text
//!     u32 length (little endian) | body (MessagePack)        at most MAX_FRAME bytes of body
//! ```
//!
//! A `Grant` frame of a policy with batons is accompanied by one descriptor (SCM_RIGHTS of
//! unix(7)), a `Direct` frame as well.
//!
//! # Rules
//! 1. The first frame of a supervisor is `Hello`, the first of a child `Ready`.
//! 2. A frame that cannot be read ends the link it came on, and nothing else.

use crate::failure::Failure;
use crate::inherited::Inherited;
use crate::settings::Settings;
use crate::survey::{Report, Token};
use holdfast_protocol::Message;
use serde::{Deserialize, Serialize};

/// The version of the frames. Both ends are the same executable, so a difference means that the
/// file was replaced by something that no longer is that program.
pub(crate) const VERSION: u32 = 1;

/// The largest body, in bytes: no peer makes another allocate more.
pub(crate) const MAX_FRAME: usize = 16 << 20;

/// The largest body of a frame that carries nothing of the program's, in bytes.
const MAX_PLAIN_FRAME: usize = 2 << 20;

/// The largest arguments, result or message, in bytes: there is room for the frame around them.
pub(crate) const MAX_PAYLOAD: usize = MAX_FRAME - (64 << 10);

/// What a child must know to boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) version: u32,
    /// The name that its function is registered under.
    pub(crate) function: String,
    /// Its path from the root, itself included.
    pub(crate) path: Vec<String>,
    /// The process of the root.
    pub(crate) root: u32,
    /// The process of its supervisor.
    pub(crate) supervisor: u32,
    pub(crate) settings: Settings,
    pub(crate) inherited: Inherited,
    /// Its arguments.
    #[serde(with = "serde_bytes")]
    pub(crate) args: Vec<u8>,
}

/// How an actor's program ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// With this result.
    Returned(#[serde(with = "serde_bytes")] Vec<u8>),
    /// With this failure.
    Failed(Failure),
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Frame {
    /// Down: boot.
    Hello(Box<Hello>),
    /// Up: booted.
    Ready { version: u32 },
    /// The protocol.
    Say(Message),
    /// Up: how the program ended; its process ends soon.
    Outcome(Outcome),
    /// A message of the program.
    Data(#[serde(with = "serde_bytes")] Vec<u8>),
    /// So many more messages of the program may be sent.
    Credit(u32),
    /// Up: an actor was booted, with its levels below it changed.
    Born { pid: u32, path: Vec<String> },
    /// Up: how many levels of actors are below the sender.
    Levels(u32),
    /// Up: a supervisor has reaped an actor; what was below it is an orphan now.
    Reaped { pid: u32 },
    /// Down: report your state.
    Survey { token: Token },
    /// Up: the state of one actor.
    Report { token: Token, report: Box<Report> },
    /// Up, policies without relay: a socket to that actor comes with this frame.
    Direct { pid: u32 },
}

/// Why bytes are not frames.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("a frame of {0} bytes is too long; the most are {MAX_FRAME}")]
    TooLong(usize),
    #[error("a frame cannot be read")]
    Malformed(#[from] rmp_serde::decode::Error),
    #[error("more descriptors came than frames that carry one")]
    Descriptors,
}

/// A frame as bytes.
pub(crate) fn encode(frame: &Frame) -> Result<Vec<u8>, WireError> {
    let mut bytes = vec![0; 4];
    rmp_serde::encode::write(&mut bytes, frame).expect("frames are plain data");
    let length = bytes.len() - 4;
    if length > MAX_FRAME {
        return Err(WireError::TooLong(length));
    }
    let prefix = u32::try_from(length).expect("it is at most MAX_FRAME");
    bytes[..4].copy_from_slice(&prefix.to_le_bytes());
    Ok(bytes)
}

/// Takes the first frame off the front of what was read; none if it is not complete.
pub(crate) fn decode(bytes: &mut Vec<u8>) -> Result<Option<Frame>, WireError> {
    let Some(prefix) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*prefix) as usize;
    if length > MAX_FRAME {
        return Err(WireError::TooLong(length));
    }
    let Some(body) = bytes.get(4..4 + length) else { return Ok(None) };
    let frame = rmp_serde::from_slice(body)?;
    let plain = !matches!(frame, Frame::Hello(_) | Frame::Outcome(_) | Frame::Data(_));
    if plain && length > MAX_PLAIN_FRAME {
        return Err(WireError::TooLong(length));
    }
    bytes.drain(..4 + length);
    Ok(Some(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_written_however_they_are_cut() {
        let frames = [
            Frame::Ready { version: VERSION },
            Frame::Data(vec![7; 300]),
            Frame::Outcome(Outcome::Returned(Vec::new())),
            Frame::Born { pid: 7, path: vec!["root".into(), "mid".into()] },
        ];
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| encode(frame).unwrap()).collect();
        for cut in 1..40 {
            let mut read = Vec::new();
            let mut buffer = Vec::new();
            for piece in bytes.chunks(cut) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = decode(&mut buffer).unwrap() {
                    read.push(frame);
                }
            }
            assert_eq!(read, frames, "pieces of {cut} bytes");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn what_is_no_frame_is_an_error_and_nothing_is_allocated_for_it() {
        let mut long = u32::MAX.to_le_bytes().to_vec();
        assert!(matches!(decode(&mut long), Err(WireError::TooLong(_))));
        let mut garbage = vec![3, 0, 0, 0, 0xc1, 0xff, 0x00];
        assert!(matches!(decode(&mut garbage), Err(WireError::Malformed(_))));
        let path = vec!["x".repeat(MAX_PLAIN_FRAME)];
        let mut plain = encode(&Frame::Born { pid: 1, path }).expect("it is a frame");
        assert!(matches!(decode(&mut plain), Err(WireError::TooLong(_))));
        let large = Frame::Data(vec![0; MAX_FRAME]);
        assert!(matches!(encode(&large), Err(WireError::TooLong(_))));
    }
}
