//! The command line as its users have it: the real program, against daemons of these tests.

#[cfg(all(unix, feature = "running-process"))]
#[cfg(test)]
mod broker;
mod calls;
#[cfg(unix)]
#[cfg(test)]
mod certify;
#[cfg(test)] // its functions are those of tests
mod daemon;
#[cfg(all(test, unix))]
mod doctor;
#[cfg(test)]
mod download;
#[cfg(test)]
mod download_tls;
mod elsewhere;
mod endpoints;
mod families;
mod generations;
mod help;
#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod image;
mod no_daemon;
#[cfg(test)]
mod operator;
#[cfg(all(test, unix))]
mod probe;
#[cfg(test)]
mod real;
#[cfg(feature = "running-process")]
#[cfg(test)]
mod registry;
#[cfg(all(target_os = "linux", feature = "running-process"))]
#[cfg(test)]
mod registry_disk;
#[cfg(all(test, target_os = "linux"))]
mod rough;
#[cfg(test)]
mod start;
#[cfg(test)]
mod stop;
#[cfg(all(test, unix))]
mod streams;
#[cfg(test)]
mod support;
#[cfg(unix)]
#[cfg(test)]
mod tap;
#[cfg(all(test, target_os = "linux"))]
mod terminal;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod wires;
#[cfg(all(test, unix))]
mod wrap;
#[cfg(all(test, unix))]
mod wrap_builds;
#[cfg(all(test, unix))]
mod wrap_cached;
#[cfg(all(test, unix))]
mod wrap_called;
#[cfg(all(test, unix))]
mod wrap_daemon;
#[cfg(all(test, unix))]
mod wrap_late;
#[cfg(all(test, unix))]
mod wrap_place;
#[cfg(all(test, target_os = "linux"))]
mod wrap_terminal;
