//! `manifest`, in a build without it.

use crate::Exit;
use crate::args::registry::Manifest;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(_: &Caller, _: &Manifest, _: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::LeftOut("manifest"))
}
