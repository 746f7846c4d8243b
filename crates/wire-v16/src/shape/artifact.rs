//! Messages with exactly two alternatives: artifacts and lookup results.

use ipc_model::{ArtifactPayload, LookupResult, NotUtf8, StoreResult};
use wire_frame::Pieces;

use super::{Contents, Field as _, Out, Record, delimited_len, put_delimited, put_key, varint_len};
use crate::ConvertError;
use crate::convert_error::Place;
use crate::generated::fields::zccache_v1 as numbers;
use crate::generated::zccache_v1::{self as wire, artifact_payload, lookup_result};

impl Record for wire::ArtifactPayload {
    type Model = ArtifactPayload;

    fn len(model: &ArtifactPayload) -> usize {
        match model {
            ArtifactPayload::Bytes(bytes) => delimited_len(bytes, numbers::ArtifactPayload::bytes),
            ArtifactPayload::Path(path) => delimited_len(path, numbers::ArtifactPayload::path),
        }
    }

    fn put(model: &ArtifactPayload, buffer: &mut Pieces) {
        match model {
            ArtifactPayload::Bytes(bytes) => put_delimited(bytes, numbers::ArtifactPayload::bytes, buffer),
            ArtifactPayload::Path(path) => put_delimited(path, numbers::ArtifactPayload::path, buffer),
        }
    }

    fn check_paths(model: &ArtifactPayload) -> Result<(), NotUtf8> {
        match model {
            ArtifactPayload::Bytes(_) => Ok(()),
            ArtifactPayload::Path(path) => Contents::check_paths(path),
        }
    }

    fn into_model(self) -> Result<ArtifactPayload, ConvertError> {
        let place = Place { message: "ArtifactPayload", field: "body" };
        match self.body.ok_or_else(|| place.missing())? {
            artifact_payload::Body::Bytes(bytes) => {
                bytes::Bytes::of_wire(bytes, place).map(ArtifactPayload::Bytes)
            }
            artifact_payload::Body::Path(path) => path.into_model().map(ArtifactPayload::Path),
        }
    }
}

impl Record for wire::LookupResult {
    type Model = LookupResult;

    fn len(model: &LookupResult) -> usize {
        match model {
            LookupResult::Hit { artifact } => delimited_len(&**artifact, numbers::LookupResult::hit),
            LookupResult::Miss => super::key_len(numbers::LookupResult::miss) + varint_len(0),
        }
    }

    fn put(model: &LookupResult, buffer: &mut Pieces) {
        match model {
            LookupResult::Hit { artifact } => put_delimited(&**artifact, numbers::LookupResult::hit, buffer),
            LookupResult::Miss => {
                put_key(numbers::LookupResult::miss, super::LEN, buffer);
                super::put_varint(0, buffer);
            }
        }
    }

    fn check_paths(model: &LookupResult) -> Result<(), NotUtf8> {
        match model {
            LookupResult::Hit { artifact } => Contents::check_paths(&**artifact),
            LookupResult::Miss => Ok(()),
        }
    }

    fn into_model(self) -> Result<LookupResult, ConvertError> {
        let place = Place { message: "LookupResult", field: "body" };
        match self.body.ok_or_else(|| place.missing())? {
            lookup_result::Body::Hit(artifact) => {
                artifact.into_model().map(|artifact| LookupResult::Hit { artifact: artifact.into() })
            }
            lookup_result::Body::Miss(wire::Empty {}) => Ok(LookupResult::Miss),
        }
    }
}

impl Record for wire::StoreResult {
    type Model = StoreResult;

    fn len(model: &StoreResult) -> usize {
        kind_number(*model).field_len(numbers::StoreResult::kind)
    }

    fn put(model: &StoreResult, buffer: &mut Pieces) {
        kind_number(*model).put_field(numbers::StoreResult::kind, buffer);
    }

    fn check_paths(_: &StoreResult) -> Result<(), NotUtf8> {
        Ok(())
    }

    fn into_model(self) -> Result<StoreResult, ConvertError> {
        match wire::StoreResultKind::try_from(self.kind) {
            Ok(wire::StoreResultKind::Stored) => Ok(StoreResult::Stored),
            Ok(wire::StoreResultKind::AlreadyExists) => Ok(StoreResult::AlreadyExists),
            Ok(wire::StoreResultKind::Unspecified) | Err(_) => {
                let place = Place { message: "StoreResult", field: "kind" };
                Err(place.value(self.kind, "Stored or AlreadyExists"))
            }
        }
    }
}

fn kind_number(result: StoreResult) -> i32 {
    let kind = match result {
        StoreResult::Stored => wire::StoreResultKind::Stored,
        StoreResult::AlreadyExists => wire::StoreResultKind::AlreadyExists,
    };
    kind as i32
}
