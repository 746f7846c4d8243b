//! Requests that change the state of a daemon.

use ::bytes::Bytes;
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload, Lookup, Request, Store};
use zccache_ipc::wire_dispatch::Dialect;

use super::{Rule, Test, What, name, ours, replies, send, want};
use crate::certify::bytes::{ids, request};

const STORE: &str = "docs/spec/messages.md#lookup-and-store";

/// The contents of the stored file.
const CONTENTS: &[u8] = b"certify\n";

pub(super) fn rules(served: &[Dialect], changes: bool, key: &str) -> Vec<Rule> {
    let rule = |dialect: &Dialect| {
        let title = format!("{}: a stored artifact is found, and is not stored twice", name(*dialect));
        if !changes {
            let test = Test::NotApplicable("needs --changes");
            return Rule { name: title, section: STORE, required: false, test };
        }
        let key = format!("{key}-{}", name(*dialect));
        let payload = ArtifactPayload::Bytes(Bytes::from_static(CONTENTS));
        let outputs = vec![ArtifactOutput { name: "certify.o".to_owned(), payload }];
        let artifact = ArtifactData { outputs, ..ArtifactData::default() };
        let store = Request::Store(Box::new(Store { cache_key: key.clone(), artifact }));
        let lookup = Request::Lookup(Lookup { cache_key: key });
        let frames = [(&store, "a"), (&lookup, "b"), (&store, "c")]
            .map(|(asked, id)| request(asked, *dialect, &ids(id)));
        let wants = vec![
            want(What::Stored, *dialect, "a"),
            want(What::Hit(CONTENTS), *dialect, "b"),
            want(What::AlreadyExists, *dialect, "c"),
        ];
        ours(title, STORE, send(frames.concat()), replies(wants))
    };
    served.iter().map(rule).collect()
}
