//! The rule for changing a directory's mode, by who chose the directory.

/// A rule for the mode of a directory that holds sockets or locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirPolicy {
    /// The naming rules own the directory (`$XDG_RUNTIME_DIR/zccache`, `/tmp/zccache-$USER`, the cache
    /// directory). A program tightens it to 0700, because released daemons made it 0755.
    Dedicated,
    /// A person chose the directory (the parent of an explicit endpoint). A program accepts 0755 and keeps
    /// its mode.
    Shared,
}
