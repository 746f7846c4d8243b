//! The directories that running-process's own cleanup deletes.

use std::path::Path;

use running_process::cleanup::prune::{self, PruneOptions};
use running_process::cleanup::uninstall;
use testkit::TempEndpoint;

use crate::{edit, publish, registry};

/// The directories and files of a live daemon.
const LIVE: [&str; 7] =
    ["artifacts", "depgraph", "logs", "tmp", "daemon.sock", "daemon.lock", "ipc-store-daemon.redb"];

fn cache(place: &TempEndpoint) -> std::path::PathBuf {
    place.dir().join("live")
}

fn make_live(place: &TempEndpoint) {
    for name in LIVE {
        let path = cache(place).join(name);
        if name.contains('.') {
            std::fs::write(path, "").expect("written");
        } else {
            std::fs::create_dir_all(path).expect("made");
        }
    }
}

fn left(place: &TempEndpoint) -> Vec<&'static str> {
    LIVE.into_iter().filter(|name| cache(place).join(name).exists()).collect()
}

/// Returns the options with which the tool deletes most.
fn prune(dir: &Path) {
    let options = PruneOptions {
        dormant_after_secs: None,
        keep_current: false,
        keep_last: None,
        service: None,
        version: None,
        confirm: true,
    };
    assert_eq!(prune::run(dir, &options).expect("pruned").len(), 5);
}

#[test]
fn a_prune_and_an_uninstall_take_the_logs_and_nothing_else() {
    let place = TempEndpoint::new();
    let without_logs: Vec<_> = LIVE.into_iter().filter(|name| *name != "logs").collect();
    publish(&place, "live", "1.2.3");
    make_live(&place);
    prune(&registry(&place));
    assert_eq!(left(&place), without_logs);
    make_live(&place);
    uninstall::run(&registry(&place), "zccache", false, true).expect("uninstalled");
    assert_eq!(left(&place), without_logs);
}

#[test]
fn with_the_dispositions_of_released_zccache_nothing_would_be_left() {
    let place = TempEndpoint::new();
    let path = publish(&place, "live", "1.2.3").path;
    edit(&path, |manifest| manifest.roots.iter_mut().for_each(|root| root.disposition = 0));
    make_live(&place);
    prune(&registry(&place));
    assert!(!cache(&place).exists());
}
