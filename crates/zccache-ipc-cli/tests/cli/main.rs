//! The command line as its users have it: the real program, against daemons of these tests.

mod calls;
#[cfg(test)] // its functions are those of tests
mod daemon;
mod endpoints;
mod families;
mod help;
mod no_daemon;
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
#[cfg(all(test, unix))]
mod wrap;
