//! The command line as its users have it: the real program, against daemons of these tests.

#[cfg(all(unix, feature = "broker"))]
#[cfg(test)]
mod broker;
mod calls;
#[cfg(test)] // its functions are those of tests
mod daemon;
#[cfg(all(test, unix))]
mod doctor;
mod endpoints;
mod help;
mod no_daemon;
#[cfg(all(test, unix))]
mod probe;
#[cfg(test)]
mod real;
#[cfg(all(test, unix))]
mod start;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod wires;
