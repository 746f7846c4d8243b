//! Installing, reading and removing the service definition.

use std::path::{Path, PathBuf};

use ipc_endpoint::DirPolicy;
use rp_manifest::{
    BadDefinition, DefinitionError, Format, InvalidDefinition, ServiceDefinition, install_service_definition,
    read_service_definition, remove_service_definition,
};
use running_process::daemon_registration::service_def_loader::ServiceDefinitionLoader;
use running_process::daemon_registration_v2::read_service_definition_v2;
use testkit::TempEndpoint;

use crate::release;

/// Returns a program in `bin/1.2.3` of `place`.
fn program(place: &TempEndpoint) -> PathBuf {
    let dir = place.dir().join("bin").join("1.2.3");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("zccache-daemon"), b"\x7fELF").unwrap();
    dir.join("zccache-daemon").canonicalize().unwrap()
}

fn full(place: &TempEndpoint) -> ServiceDefinition {
    let bin = place.dir().join("bin");
    let mut definition = ServiceDefinition::of_program(&program(place), Some(&bin)).unwrap();
    definition.min_version = Some(release("1.10.0"));
    definition.allowed_versions = vec![release("1.12.0"), release("1.12.0-rc.1")];
    // These files have no digest, so a map may have two entries.
    definition.labels =
        [("a", "1"), ("b", "2"), ("c", "3")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    definition
}

fn dir(place: &TempEndpoint) -> PathBuf {
    place.dir().join("services")
}

#[test]
fn an_installed_definition_is_read_back_by_us_and_by_the_library_in_both_forms() {
    let place = TempEndpoint::new();
    let definition = full(&place);
    let files = install_service_definition(&dir(&place), DirPolicy::Dedicated, &definition).unwrap();
    assert_eq!(files, [dir(&place).join("zccache.servicedef"), dir(&place).join("zccache.servicedef.v2")]);
    assert_eq!(std::fs::read_dir(dir(&place)).unwrap().count(), 2, "no temporary file is left");

    for installed in read_service_definition(&dir(&place)).unwrap() {
        assert_eq!(installed.definition.unwrap(), definition, "{:?}", installed.format);
    }
    let v1 = ServiceDefinitionLoader::new(dir(&place)).load("zccache").unwrap();
    let v2 = read_service_definition_v2(&dir(&place), "zccache").unwrap().definition;
    let binary = definition.binary.to_str().unwrap();
    assert_eq!((v1.binary_path.as_str(), v2.binary_path.as_str()), (binary, binary));
    assert_eq!((v1.isolation, v2.isolation), (1, 1));
    assert_eq!(v1.per_version_binary_dir, v2.per_version_binary_dir);
    assert_eq!((v1.min_version.as_str(), v2.min_version.as_str()), ("1.10.0", "1.10.0"));
    assert_eq!(v1.version_allow_list, ["1.12.0", "1.12.0-rc.1"]);
    assert_eq!(v1.version_allow_list, v2.version_allow_list);
    assert_eq!(v1.labels, v2.labels);
    assert_eq!(v1.labels.len(), 3);
}

#[test]
fn the_service_definition_uses_the_programs_directory_by_default() {
    let place = TempEndpoint::new();
    let program = program(&place);
    let definition = ServiceDefinition::of_program(&program, None).unwrap();
    assert_eq!(definition.per_version_binary_dir, program.parent().unwrap());
    let error = ServiceDefinition::of_program(&program, Some(&place.home())).unwrap_err();
    assert!(matches!(error, InvalidDefinition::Elsewhere { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_to_the_program_is_followed() {
    let place = TempEndpoint::new();
    let link = place.dir().join("link");
    std::os::unix::fs::symlink(program(&place), &link).unwrap();
    let definition = ServiceDefinition::of_program(&link, None).unwrap();
    assert_eq!(definition.binary, program(&place));
}

#[test]
fn a_program_that_brokers_cannot_start_is_refused_or_reported() {
    let place = TempEndpoint::new();
    let check = |path: &Path| ServiceDefinition::of_program(path, None).unwrap_err();
    assert!(matches!(check(Path::new("zccache-daemon")), InvalidDefinition::NotAbsolute(_)));
    assert!(matches!(check(&place.dir().join("none")), InvalidDefinition::Missing { .. }));
    assert!(matches!(check(&place.home()), InvalidDefinition::NotAProgram(_)));
    let script = place.dir().join("script");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    assert!(ServiceDefinition::of_program(&script, None).unwrap().is_script());
    assert!(!full(&place).is_script());
}

#[test]
fn a_definition_that_is_not_valid_is_not_written() {
    let place = TempEndpoint::new();
    let install = |definition: &ServiceDefinition| {
        install_service_definition(&dir(&place), DirPolicy::Dedicated, definition).unwrap_err()
    };
    let unnamed = ServiceDefinition { labels: [(String::new(), String::new())].into(), ..full(&place) };
    let relative = ServiceDefinition { binary: "zccache-daemon".into(), ..full(&place) };
    let elsewhere = ServiceDefinition { per_version_binary_dir: "bin".into(), ..full(&place) };
    for definition in [unnamed, relative, elsewhere] {
        let error = install(&definition);
        assert!(matches!(error, DefinitionError::Invalid(_)), "{error}");
    }
    assert!(!dir(&place).exists());
}

#[test]
fn an_unusable_definition_is_reported_beside_a_usable_one() {
    let place = TempEndpoint::new();
    install_service_definition(&dir(&place), DirPolicy::Dedicated, &full(&place)).unwrap();
    std::fs::write(Format::V2.path(&dir(&place)), "garbage").unwrap();
    let installed = read_service_definition(&dir(&place)).unwrap();
    assert!(installed[0].definition.is_ok());
    assert!(matches!(installed[1].definition, Err(BadDefinition::NotADefinition { .. })));
    std::fs::write(Format::V2.path(&dir(&place)), "").unwrap();
    let installed = read_service_definition(&dir(&place)).unwrap();
    assert!(matches!(installed[1].definition, Err(BadDefinition::Invalid { .. })));
}

#[test]
fn removing_takes_both_files_and_nothing_else() {
    let place = TempEndpoint::new();
    assert!(remove_service_definition(&dir(&place)).unwrap().is_empty());
    let files = install_service_definition(&dir(&place), DirPolicy::Dedicated, &full(&place)).unwrap();
    std::fs::write(dir(&place).join("other.servicedef"), "").unwrap();
    assert_eq!(remove_service_definition(&dir(&place)).unwrap(), files);
    assert!(dir(&place).join("other.servicedef").exists());
    assert!(remove_service_definition(&dir(&place)).unwrap().is_empty());
    assert!(read_service_definition(&dir(&place)).unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn a_directory_that_brokers_refuse_is_tightened_or_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = TempEndpoint::new();
    let dir = dir(&place);
    std::fs::create_dir(&dir).unwrap();
    let set = |mode| std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(mode)).unwrap();
    set(0o755);
    let chosen = install_service_definition(&dir, DirPolicy::Shared, &full(&place));
    assert!(matches!(chosen, Err(DefinitionError::Directory(_))), "{chosen:?}");
    assert!(matches!(read_service_definition(&dir), Err(DefinitionError::Directory(_))));
    install_service_definition(&dir, DirPolicy::Dedicated, &full(&place)).unwrap();
    assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    // A directory that others can read is cleaned; one that they can write to is not touched.
    set(0o777);
    assert!(matches!(remove_service_definition(&dir), Err(DefinitionError::Directory(_))));
    set(0o755);
    assert_eq!(remove_service_definition(&dir).unwrap().len(), 2);
}
