//! `service-definition`, in a build without it.

use crate::Exit;
use crate::args::registry::ServiceDefinition;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Located;

pub(super) fn run(_: &Located, _: &ServiceDefinition, _: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::LeftOut("manifest"))
}
