//! A host on a real socket, with tokio's paused clock.

use std::cell::Cell;
use std::fs;
use std::rc::Rc;

use ipc_model::{Request, Response};
use testkit::{TempEndpoint, watchdog};

use super::*;
use crate::{Caller, Server, ServerConfig, Service};

const LIMIT: Duration = Duration::from_secs(30);

struct Pongs;

impl Service for Pongs {
    async fn call(&self, _: Request, _: &Caller) -> Response {
        Response::Pong
    }
}

/// A program that calls `at_each` at each check and ends the daemon at the last check.
struct Looks<'a> {
    at_each: &'a mut dyn FnMut(u32),
    left: u32,
    looked: u32,
    served: Rc<Cell<u64>>,
    rebound: u32,
}

impl Program for Looks<'_> {
    type Leave = &'static str;

    fn serve(
        &mut self,
        number: u64,
        listener: Listener,
    ) -> (ServerHandle, impl Future<Output = Result<Served, ServeError>> + Send + 'static) {
        self.served.set(number);
        let server = Server::new(Pongs, ServerConfig::new("1.0.0"));
        (server.handle(), server.serve(listener))
    }

    fn rebound(&mut self) {
        self.rebound += 1;
    }

    fn look(&mut self) -> Option<&'static str> {
        self.looked += 1;
        (self.at_each)(self.looked);
        (self.looked == self.left).then_some("it has looked enough")
    }
}

/// Serves at `place` for `looks` checks; returns the end, the newest server's number and the rebinds.
async fn serve(
    place: &TempEndpoint,
    looks: u32,
    at_each: &mut dyn FnMut(u32),
) -> (Result<HostEnded<&'static str>, HostError>, u64, u32) {
    let endpoint = Endpoint::from(place.name());
    let lock_file = place.dir().join("daemon.lock");
    let mut host = Host::claim(&endpoint, &lock_file, DirPolicy::Dedicated).expect("a free endpoint");
    let listener = host.listen(None).expect("a free endpoint");
    let served = Rc::default();
    let mut program = Looks { at_each, left: looks, looked: 0, served: Rc::clone(&served), rebound: 0 };
    let ended = host.serve(listener, &mut program).await;
    host.release().expect("the host can remove its files");
    (ended, served.get(), program.rebound)
}

#[tokio::test(start_paused = true)]
async fn the_programs_own_check_ends_the_daemon() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let (ended, served, rebound) = serve(&place, 3, &mut |_| ()).await;
    assert!(matches!(ended, Ok(HostEnded::Program("it has looked enough"))), "{ended:?}");
    assert_eq!((served, rebound), (1, 0));
    assert!(!place.socket().exists());
}

#[tokio::test(start_paused = true)]
async fn removed_sockets_and_locks_are_restored() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut clean = |look| {
        if look == 1 {
            for entry in fs::read_dir(place.dir()).expect("it can be listed") {
                let path = entry.expect("an entry").path();
                if !path.is_dir() {
                    fs::remove_file(path).expect("it can be removed");
                }
            }
        }
    };
    let (ended, served, rebound) = serve(&place, 3, &mut clean).await;
    assert!(matches!(ended, Ok(HostEnded::Program(_))), "{ended:?}");
    assert_eq!((served, rebound), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_cannot_bind_its_removed_socket_leaves() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut looks = 0;
    let mut replace = |look| {
        looks = look;
        if look == 1 {
            fs::remove_file(place.socket()).expect("it can be removed");
            fs::write(place.socket(), "precious").expect("it can be written");
        }
    };
    let (ended, served, _) = serve(&place, 60, &mut replace).await;
    assert!(matches!(ended, Err(HostError::Bind(BindError::NotASocket { .. }))), "{ended:?}");
    // The host leaves at a check before it calls the program.
    assert_eq!((looks, served), (machine::UNREACHABLE, 1));
    assert_eq!(fs::read_to_string(place.socket()).expect("it is there"), "precious");
}

#[tokio::test(start_paused = true)]
async fn the_second_daemon_of_an_endpoint_learns_the_winner() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut second = |_| {
        let endpoint = Endpoint::from(place.name());
        let lock_file = place.dir().join("daemon.lock");
        let lost = Host::claim(&endpoint, &lock_file, DirPolicy::Dedicated);
        let by = Some(ipc_os::Pid::current());
        assert!(matches!(lost, Err(HostError::Lost { by: winner, .. }) if winner == by), "{lost:?}");
    };
    let (ended, ..) = serve(&place, 1, &mut second).await;
    assert!(ended.is_ok(), "{ended:?}");
}
