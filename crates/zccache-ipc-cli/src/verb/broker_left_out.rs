//! `broker`, in a build without it.

use crate::Exit;
use crate::args::broker::BrokerStatus;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;

pub(super) fn run(_: &Target, _: &BrokerStatus, _: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::LeftOut("broker"))
}
