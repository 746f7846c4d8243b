//! Makes an environment independent of the current directory and lists its problems.

use crate::cache_root::{cache_override, home};
use crate::default_endpoint::{UNKNOWN_USER, user_base};
use crate::environment::Environment;
use crate::locate_error::{LocateError, Setting};
use crate::namespace::sanitize_ipc;
use crate::path_text;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::variable::Variable;

/// Makes every path in `environment` that names depend on absolute, and lists the problems found.
///
/// Variables that no name depends on stay unchanged and are not reported.
pub(crate) fn absolute(environment: &Environment) -> Result<(Environment, Vec<Problem>), LocateError> {
    let mut made = Made { environment: environment.clone(), problems: Vec::new() };
    if let Some(cache_dir) = cache_override(environment)? {
        let recorded = environment.strict(Variable::CacheDir)?.unwrap_or_default();
        if !path_text::is_absolute(recorded, environment.platform()) {
            made.relative(Variable::CacheDir, recorded, cache_dir);
        }
    } else {
        made.home(environment)?;
        made.runtime_dir(environment)?;
        made.user(environment);
    }
    made.ignored(Variable::DownloadEndpoint);
    if let Some(recorded) = environment.lenient(Variable::DownloadEndpoint) {
        let used = environment.absolute_endpoint(recorded)?;
        if used != recorded {
            made.relative(Variable::DownloadEndpoint, recorded, used);
        }
    }
    Ok((made.environment, made.problems))
}

/// An environment and the problems found while its paths become absolute.
struct Made {
    environment: Environment,
    problems: Vec<Problem>,
}

impl Made {
    fn home(&mut self, environment: &Environment) -> Result<(), LocateError> {
        match home(environment)? {
            None => {
                let used = environment.absolute("")?;
                self.problems.push(Problem::NoHome { used: used.clone() });
                self.set(Variable::Home, used);
            }
            Some((variable, recorded)) if !path_text::is_absolute(recorded, environment.platform()) => {
                let used = environment.absolute(recorded)?;
                self.relative(variable, recorded, used);
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn runtime_dir(&mut self, environment: &Environment) -> Result<(), LocateError> {
        if !environment.platform().is_unix() {
            return Ok(());
        }
        self.ignored(Variable::XdgRuntimeDir);
        match environment.lenient(Variable::XdgRuntimeDir) {
            Some("") => self.problems.push(Problem::EmptyRuntimeDir),
            Some(recorded) if !path_text::is_absolute(recorded, environment.platform()) => {
                let used = environment.absolute(recorded)?;
                self.relative(Variable::XdgRuntimeDir, recorded, used);
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    fn user(&mut self, environment: &Environment) {
        if user_base(environment, "").1 != Rule::UserName {
            return;
        }
        let is_unix = environment.platform().is_unix();
        let variable = if is_unix { Variable::User } else { Variable::Username };
        self.ignored(variable);
        let given = environment.lenient(variable);
        let name = if is_unix { given.map(str::to_owned) } else { given.and_then(sanitize_ipc) };
        match name {
            None => self.problems.push(Problem::NoUser { variable, name: UNKNOWN_USER.to_owned() }),
            Some(name) if name.is_empty() => self.problems.push(Problem::NoUser { variable, name }),
            Some(name) if name.contains('/') => self.problems.push(Problem::UserIsAPath(name)),
            Some(_) => {}
        }
    }

    fn relative(&mut self, variable: Variable, recorded: &str, used: String) {
        let setting = Setting::Variable(variable);
        self.problems.push(Problem::Relative { setting, recorded: recorded.to_owned(), used: used.clone() });
        self.set(variable, used);
    }

    fn ignored(&mut self, variable: Variable) {
        if self.environment.var(variable).is_some_and(|value| value.to_str().is_none()) {
            self.problems.push(Problem::Ignored(variable));
        }
    }

    fn set(&mut self, variable: Variable, value: String) {
        let environment = self.environment.clone();
        self.environment = environment.with(variable, value);
    }
}
