//! The runtime of a daemon, or its end.

use std::io;
use std::panic;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

/// Builds the runtime of a daemon, or ends the process.
///
/// The exit status is 1 if the system gives it no thread. tokio panics then, and dropping its half-built runtime waits for ever: the daemon would hold its endpoint and
/// never answer. The panic is reported by the hook that is set.
///
/// # Errors
///
/// The system's error.
pub fn build_runtime(builder: &mut Builder) -> io::Result<Runtime> {
    let hook = Arc::new(panic::take_hook());
    let report = Arc::clone(&hook);
    panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::exit(1);
    }));
    let runtime = builder.build();
    panic::set_hook(Box::new(move |panic| hook(panic)));
    runtime
}
