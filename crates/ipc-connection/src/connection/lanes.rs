//! Sending on the lanes of protobuf, with ids of the caller's choice.

use ipc_model::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use wire_dispatch::{FrameKind, Ids, Lane, Message};
use wire_v15::Direction;

use super::Connection;
use crate::IpcError;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends `message` on wire v16 with `request_id`.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_prost<M: Message>(
        &mut self,
        message: &M,
        request_id: impl Into<String>,
    ) -> Result<(), IpcError> {
        let ids = Ids { request_id: request_id.into(), frame_request_id: 0 };
        self.send_on(Lane::V16, &ids, FrameKind::Request, message).await?;
        self.remember(M::DIRECTION, Lane::V16, ids.request_id.into(), 0);
        Ok(())
    }

    /// Sends `request` in a running-process frame and returns the frame's id.
    ///
    /// The first frame of the connection has id 1; each later frame adds one.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_frame_v1_request(
        &mut self,
        request: &Request,
        request_id: impl Into<String>,
    ) -> Result<u64, IpcError> {
        let frame_request_id = self.last_frame_id.wrapping_add(1);
        let ids = Ids { request_id: request_id.into(), frame_request_id };
        self.send_on(Lane::FrameV1, &ids, FrameKind::Request, request).await?;
        self.remember(Direction::Request, Lane::FrameV1, ids.request_id.into(), frame_request_id);
        Ok(frame_request_id)
    }

    /// Sends `response` in a running-process frame with the ids of its request.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_frame_v1_response(&mut self, response: &Response, ids: &Ids) -> Result<(), IpcError> {
        self.send_on(Lane::FrameV1, ids, FrameKind::Response, response).await
    }
}
