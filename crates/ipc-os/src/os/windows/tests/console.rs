//! Console events, in a console without a window.

use std::{os::windows::process::CommandExt, process::Command};

use windows_sys::{
    Win32::System::{
        Console::{
            CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
            GenerateConsoleCtrlEvent, SetConsoleCtrlHandler,
        },
        LibraryLoader::{GetModuleHandleW, GetProcAddress},
        Threading::CREATE_NO_WINDOW,
    },
    s, w,
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
fn every_console_event_asks_a_process_to_end() {
    for event in [CTRL_C_EVENT, CTRL_BREAK_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT] {
        let mut listener = Part::play("console::a_listener_that_gets_an_event", &[&event.to_string()]);
        assert_eq!(listener.says(), "asked", "{event}");
    }
}

/// Runs the function by which the system tells a process of an event, on a thread of its own as the system does.
#[test]
#[ignore = "a part"]
fn a_listener_that_gets_an_event() {
    let event: usize = lines()[0].parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut terminations = Terminations::listen().unwrap();
        // The thread does not end with some events, so that the process has time to end.
        std::thread::spawn(move || tell_this_process(event));
        terminations.next().await;
        println!("SAYS asked");
    });
}

fn tell_this_process(event: usize) {
    // SAFETY: the name is a string with a zero at its end; the library is part of every process.
    let library = unsafe { GetModuleHandleW(w!("kernelbase.dll")) };
    // SAFETY: the handle is that of a loaded library, and the name has a zero at its end.
    let routine = unsafe { GetProcAddress(library, s!("CtrlRoutine")) }.expect("every Windows has it");
    // SAFETY: the function has the type of a thread's start: it takes the event in a pointer.
    let routine: unsafe extern "system" fn(usize) -> u32 = unsafe { std::mem::transmute(routine) };
    // SAFETY: the function touches no memory of this program but calls its handlers, which may run on any thread.
    unsafe { routine(event) };
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
