//! Downloads from a test web server and from files.

#[cfg(test)]
mod bad;
#[cfg(test)]
mod good;
#[cfg(test)]
mod hosted;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod support;
