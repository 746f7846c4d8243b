//! One exchange on a connection that carries one request at a time.

use ipc_connection::{IpcConnection, IpcError};
use ipc_model::{Request, Response};
use wire_dispatch::{Dialect, Ids, Lane};

use crate::config::Limits;

/// Makes one exchange in bincode; also returns true if the whole request was sent.
pub(super) async fn exchange_alone(
    connection: &mut IpcConnection,
    request: &Request,
    generation: wire_v15::Generation,
    limits: &Limits,
) -> (bool, Result<(Dialect, Response), IpcError>) {
    match connection.send_bincode(request, generation, limits.send()).await {
        Ok(()) => {}
        Err(error) if error.is_disconnect() => {
            // A daemon that refuses a request sends its reason before it closes.
            return (false, connection.last_words(limits.last_words()).await.ok_or(error));
        }
        Err(error) => return (false, Err(error)),
    }
    let (none, limit) = (Ids::default(), Some(limits.reply()));
    let later = limits.later(request.kind());
    let tell = |progress: &_| {
        later.tell(progress);
        later.after_progress()
    };
    let reply = connection.recv_reply_telling(Lane::V15, &none, limit, tell).await;
    let reply = reply.and_then(|reply| reply.ok_or(IpcError::Closed));
    (true, reply.map(|reply| (reply.dialect(), reply.message)))
}
