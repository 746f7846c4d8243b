//! `exec`: any tool, whose result is cached by what it is declared to depend on.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use zccache_ipc::DEFAULT_CLIENT_RECV_TIMEOUT;
use zccache_ipc::endpoint::{Environment, Variable, exit_code, find_program};
use zccache_ipc::model::{ExecCachePolicy, ExecOutputStreams, GenericToolExec, NormalizedPath, Response};

use super::contents;
use super::wrap::{NOT_FOUND, say};
use crate::Exit;
use crate::args::families::Exec;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;

pub(super) fn run(target: &Target, exec: &Exec, output: &mut Output) -> Result<Exit, Failure> {
    let request = request(target, exec)?;
    let result = target.client(DEFAULT_CLIENT_RECV_TIMEOUT).generic_tool_exec(request)?;
    let code = result.exit_code;
    if output.is_json() {
        output.json(&contents(&Response::from(result)))?;
    } else {
        output.bytes(&result.stdout)?;
        output.flush()?;
        // There is nobody to tell of a standard error that does not take it.
        let _ = io::stderr().lock().write_all(&result.stderr);
    }
    output.flush()?;
    if code == 0 {
        return Ok(Exit::Done);
    }
    std::process::exit(exit_code(code))
}

fn request(target: &Target, exec: &Exec) -> Result<GenericToolExec, Failure> {
    let path = |path: &PathBuf| NormalizedPath::new(target.absolute(path));
    let paths = |paths: &[PathBuf]| paths.iter().map(path).collect::<Vec<_>>();
    let (name, args) = exec.command.split_first().ok_or(Failure::NoTool)?;
    let environment = &target.environment;
    let Some(tool) = find_program(name, environment.cwd(), environment.var(Variable::Path)) else {
        say(&format!("no program {} on PATH", name.to_string_lossy()));
        std::process::exit(NOT_FOUND);
    };
    let text = |text: &OsString| {
        text.to_str().map(str::to_owned).ok_or_else(|| Failure::NotText(text.to_string_lossy().into_owned()))
    };
    let (set, mut env) = (Environment::to_pass_on(), Vec::new());
    for name in &exec.input_env {
        // One that is not set is not set for the tool either.
        if let Some((_, value)) = set.iter().find(|(set, _)| set.to_str() == Some(name)) {
            env.push((name.clone(), text(value)?));
        }
    }
    Ok(GenericToolExec {
        tool: tool.into(),
        args: args.iter().map(text).collect::<Result<_, _>>()?,
        cwd: environment.cwd().into(),
        env,
        input_files: paths(&exec.input_file),
        input_extra: exec.input_extra.clone().unwrap_or_default().into_bytes().into(),
        output_streams: ExecOutputStreams { stdout: !exec.no_stdout, stderr: !exec.no_stderr },
        output_files: paths(&exec.output_file),
        tool_hash: exec.tool_hash,
        cache_policy: match (exec.no_cache, exec.read_only) {
            (true, _) => ExecCachePolicy::Bypass,
            (false, true) => ExecCachePolicy::ReadOnly,
            (false, false) => ExecCachePolicy::Normal,
        },
        cwd_in_key: !exec.no_cwd_in_key,
        include_scan_files: paths(&exec.include_scan),
        include_dirs: paths(&exec.include_dir),
        system_include_dirs: paths(&exec.system_include),
        iquote_dirs: paths(&exec.iquote_dir),
        depfile: exec.depfile.as_ref().map(path),
        non_deterministic: exec.non_deterministic,
        key_args_filter: exec.key_args_filter.clone(),
    })
}
