//! Identity probes: rp-broker's responder as an extension of a server.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use rp_broker::probe::{self, Responder};

use crate::Extension;

impl Extension for Responder {
    fn protocol(&self) -> u32 {
        probe::PROTOCOL
    }

    fn answer(&self, envelope: Bytes) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send + '_>> {
        Box::pin(async move {
            match Self::answer(self, &envelope).await {
                Ok(frame) => Some(frame.into()),
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "refused a probe");
                    None
                }
            }
        })
    }
}
