//! `manifest`, in a build without it.

use crate::Exit;
use crate::args::registry::Manifest;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Located;

pub(super) fn run(_: &Located, _: &Manifest, _: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::LeftOut("manifest"))
}
