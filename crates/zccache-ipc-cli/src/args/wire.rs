//! Arguments of `wire`.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use zccache_ipc::Lane;

#[derive(Debug, Subcommand)]
pub(crate) enum Wire {
    /// Frames in hex to messages in JSON, one per line; a bad line gives {"error": …}, and exit code 1 at the end
    #[command(
        after_help = "One line holds one frame, of any lane: what follows it is an error. Bytes after the \
        message, inside the frame, are accepted as daemons accept them.\n\nExamples:\n  \
        echo 080000000f00000000000000 | zccache-ipc wire decode --request\n  \
        zccache-ipc wire decode --request --lane v16 \\\n    \
        15000000100000000a00a2060c636f6e74726f6c2d70696e67"
    )]
    Decode(Lines),
    /// Messages in JSON to frames in hex, one per line; a bad line gives {"error": …}, and exit code 1 at the end
    #[command(
        after_help = "The JSON names the lane, else --lane, else it is v15. An id that is left out is the id \
        that clients give to such a request, empty for a response, and 1 for a frame.\n\nExamples:\n  \
        zccache-ipc wire encode --request '{\"variant\":\"Ping\"}'\n  \
        zccache-ipc wire encode --request --lane frame \\\n    \
        '{\"variant\":\"Ping\",\"frame_request_id\":7}'"
    )]
    Encode(Lines),
}

#[derive(Debug, Args)]
pub(crate) struct Lines {
    #[command(flatten)]
    pub(crate) of: MessageKind,
    /// The lane of the frames: v15, v16 or frame [default: decode tells it from the frame, encode from the JSON]
    #[arg(long, value_parser = lane(), ignore_case = true, hide_possible_values = true)]
    #[arg(value_name = "v15|v16|frame", conflicts_with_all = ["download_request", "download_response"])]
    pub(crate) lane: Option<Lane>,
    /// The lines [default: the lines of standard input]
    #[arg(value_name = "LINE")]
    pub(crate) lines: Vec<String>,
}

/// Exactly one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct MessageKind {
    /// The lines are requests
    #[arg(long)]
    pub(crate) request: bool,
    /// The lines are responses
    #[arg(long)]
    pub(crate) response: bool,
    /// The lines are requests of the download protocol
    #[arg(long)]
    pub(crate) download_request: bool,
    /// The lines are responses of the download protocol
    #[arg(long)]
    pub(crate) download_response: bool,
}

fn lane() -> impl TypedValueParser<Value = Lane> {
    let words = PossibleValuesParser::new([
        PossibleValue::new("v15"),
        PossibleValue::new("v16"),
        PossibleValue::new("frame").aliases(["frame-v1", "frame_v1"]),
    ]);
    words.map(|word| match word.to_ascii_lowercase().as_str() {
        "v15" => Lane::V15,
        "v16" => Lane::V16,
        _ => Lane::FrameV1,
    })
}
