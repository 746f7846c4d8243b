//! Console events, in a console without a window.

use std::{os::windows::process::CommandExt, process::Command};

use windows_sys::Win32::System::{
    Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler},
    Threading::CREATE_NO_WINDOW,
};

use super::helper::{LINES, Part, arguments, lines, own_program};
use crate::Terminations;

/// Returns what a listener in a console of its own says after an event.
fn said_after(event: u32) -> String {
    let mut command = Command::new(own_program());
    command.args(arguments("console::a_console")).env(LINES, event.to_string());
    command.creation_flags(CREATE_NO_WINDOW);
    Part::start(command).says()
}

#[test]
fn ctrl_c_asks_a_process_to_end() {
    assert_eq!(said_after(CTRL_C_EVENT), "asked");
}

#[test]
fn ctrl_break_asks_a_process_to_end() {
    assert_eq!(said_after(CTRL_BREAK_EVENT), "asked");
}

#[test]
#[ignore = "a part"]
fn a_listener() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut terminations = Terminations::listen().unwrap();
        println!("SAYS ready");
        terminations.next().await;
        println!("SAYS asked");
    });
}

/// Starts a listener, sends the event of its arguments to the console, and repeats what the listener says.
#[test]
#[ignore = "a part"]
fn a_console() {
    let event: u32 = lines()[0].parse().unwrap();
    let mut command = Command::new(own_program());
    command.args(arguments("console::a_listener"));
    let mut listener = Part::start(command);
    assert_eq!(listener.says(), "ready");
    // SAFETY: the handler touches no memory, and stays in place until this process ends.
    assert_ne!(unsafe { SetConsoleCtrlHandler(Some(ignore), 1) }, 0);
    // SAFETY: no memory is touched.
    assert_ne!(unsafe { GenerateConsoleCtrlEvent(event, 0) }, 0, "the system sends no such event");
    println!("SAYS {}", listener.says());
}

unsafe extern "system" fn ignore(_: u32) -> i32 {
    1
}
