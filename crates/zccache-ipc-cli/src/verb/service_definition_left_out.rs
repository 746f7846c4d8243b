//! `service-definition`, in a build without it.

use crate::Exit;
use crate::args::registry::ServiceDefinition;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(_: &Caller, _: &ServiceDefinition, _: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::LeftOut("manifest"))
}
