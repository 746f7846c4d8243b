//! `broker`, in a build without it.

use crate::Exit;
use crate::args::broker::BrokerStatus;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(_: &Caller, _: &BrokerStatus, _: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::LeftOut("broker"))
}
