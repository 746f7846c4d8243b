// Made by `cargo xtask codegen` from the schemas under `proto/`. Never edited.
/// An envelope around a message of some protocol.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Frame {
    /// The version of the envelope itself: 1.
    #[prost(uint32, tag = "1")]
    pub envelope_version: u32,
    /// What the payload is to its receiver.
    #[prost(enumeration = "FrameKind", tag = "2")]
    pub kind: i32,
    /// Whose payload it is; zccache's number is 0x7A63.
    #[prost(uint32, tag = "3")]
    pub payload_protocol: u32,
    /// The message.
    #[prost(bytes = "bytes", tag = "4")]
    pub payload: ::prost::bytes::Bytes,
    /// Chosen by the client, carried back by the answer.
    #[prost(uint64, tag = "5")]
    pub request_id: u64,
    /// How the payload is packed.
    #[prost(enumeration = "PayloadEncoding", tag = "6")]
    pub payload_encoding: i32,
    /// When an answer is of no more use, in milliseconds since 1970; 0 is never. Ignored on the zccache lane.
    #[prost(uint64, tag = "7")]
    pub deadline_unix_ms: u64,
    /// Which trace the call belongs to. Ignored on the zccache lane.
    #[prost(string, tag = "8")]
    pub traceparent: ::prost::alloc::string::String,
    /// What the trace's vendors carry along. Ignored on the zccache lane.
    #[prost(string, tag = "9")]
    pub tracestate: ::prost::alloc::string::String,
}
/// What a payload is to its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum FrameKind {
    /// A question.
    Request = 0,
    /// An answer.
    Response = 1,
    /// Something that nobody asked for. Not legal on the zccache lane.
    Event = 2,
    /// The answer is of no more use. Not legal on the zccache lane.
    Cancel = 3,
}
impl FrameKind {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Request => "FRAME_KIND_REQUEST",
            Self::Response => "FRAME_KIND_RESPONSE",
            Self::Event => "FRAME_KIND_EVENT",
            Self::Cancel => "FRAME_KIND_CANCEL",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "FRAME_KIND_REQUEST" => Some(Self::Request),
            "FRAME_KIND_RESPONSE" => Some(Self::Response),
            "FRAME_KIND_EVENT" => Some(Self::Event),
            "FRAME_KIND_CANCEL" => Some(Self::Cancel),
            _ => None,
        }
    }
}
/// How a payload is packed. On the zccache lane it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum PayloadEncoding {
    /// As it is.
    None = 0,
    /// By zstd.
    Zstd = 1,
    /// By snappy.
    Snappy = 2,
    /// By lz4.
    Lz4 = 3,
}
impl PayloadEncoding {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::None => "PAYLOAD_ENCODING_NONE",
            Self::Zstd => "PAYLOAD_ENCODING_ZSTD",
            Self::Snappy => "PAYLOAD_ENCODING_SNAPPY",
            Self::Lz4 => "PAYLOAD_ENCODING_LZ4",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "PAYLOAD_ENCODING_NONE" => Some(Self::None),
            "PAYLOAD_ENCODING_ZSTD" => Some(Self::Zstd),
            "PAYLOAD_ENCODING_SNAPPY" => Some(Self::Snappy),
            "PAYLOAD_ENCODING_LZ4" => Some(Self::Lz4),
            _ => None,
        }
    }
}
